/** Blur NSFW: images above the NSFW threshold are blurred, and never hidden. */

import { SvelteMap } from 'svelte/reactivity';

import { get, post } from '../../api/client';
import type { Vision } from '../../api/vision';
import { toasts } from '../../ui/toasts.svelte';

/** Images per request, and how long to gather more. */
const AT_ONCE = 500;
const GATHERED_MS = 20;

export class Blur {
  on = $state(localStorage.getItem('safe') === 'yes');
  private settings = $state.raw<Vision | undefined>();
  /** By thumbnail; null for an image that was not analyzed. */
  private readonly scores = new SvelteMap<string, number | null>();
  private readonly asked = new Set<string>();
  private readonly due: string[] = [];

  /** Whether an image with this score is blurred; images without a score never are. */
  blurs(explicit: number | null | undefined): boolean {
    return this.on && explicit != null && explicit >= (this.settings?.least_explicit ?? 0.7);
  }

  /** Like `blurs`, for a thumbnail whose score is not loaded: blurred until the server has sent it. */
  blursThumb(thumb: string | null | undefined): boolean {
    if (!this.on || !thumb) return false;
    const score = this.scores.get(thumb);
    if (score === undefined) this.ask(thumb);
    return score === undefined || this.blurs(score);
  }

  private ask(thumb: string): void {
    if (this.asked.has(thumb)) return;
    this.asked.add(thumb);
    this.due.push(thumb);
    if (this.due.length === 1) setTimeout(() => void this.askDue(), GATHERED_MS);
  }

  private async askDue(): Promise<void> {
    const thumbs = this.due.splice(0);
    for (let start = 0; start < thumbs.length; start += AT_ONCE) {
      const some = thumbs.slice(start, start + AT_ONCE);
      try {
        const { explicit } = await post('/api/v1/vision/scores', { body: { thumbs: some } });
        for (const thumb of some) this.scores.set(thumb, explicit[thumb] ?? null);
      } catch {
        // They stay blurred, and are requested again when they are drawn again.
        for (const thumb of some) this.asked.delete(thumb);
      }
    }
  }

  take(settings: Vision): void {
    this.settings = settings;
  }

  async load(): Promise<void> {
    this.take((await get('/api/v1/vision')).settings);
  }

  async toggle(): Promise<void> {
    this.on = !this.on;
    localStorage.setItem('safe', this.on ? 'yes' : 'no');
    // More images may have been analyzed since.
    this.scores.clear();
    this.asked.clear();
    await this.load().catch(() => undefined);
    toasts.add(this.on ? this.describeState() : 'Blur NSFW is off.');
  }

  private describeState(): string {
    return this.settings?.is_on ? 'Blur NSFW is on.' : 'Blur NSFW is on, but image analysis is off. Turn it on in Settings.';
  }
}

export const blur = new Blur();
