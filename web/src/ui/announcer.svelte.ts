/** Announcements for screen readers: counts, results, progress. At most one per second; the last one wins. */

const PAUSE_MS = 1_000;
const STEP = 0.25;

export class Announcer {
  text = $state('');
  private waiting: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly reached = new Map<string, number>();

  say(sentence: string): void {
    if (this.timer) {
      this.waiting = sentence;
      return;
    }
    this.text = sentence;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const next = this.waiting;
      this.waiting = undefined;
      if (next !== undefined) this.say(next);
    }, PAUSE_MS);
  }

  /** Progress from 0 to 1, announced once at every quarter. */
  progress(work: string, share: number): void {
    const step = Math.floor(share / STEP);
    const before = this.reached.get(work) ?? 0;
    this.reached.set(work, step);
    if (step > before) this.say(`${work}: ${step * STEP * 100}%`);
  }
}

export const announcer = new Announcer();
