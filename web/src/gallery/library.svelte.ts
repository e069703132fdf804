/** What the gallery shows: one query, its snapshot, what is focused and chosen. Outlives every component. */

import { ApiError, geometry, get, post, type Done, type Snapshot, type Status } from '../api/client';
import { Layout } from '../lib/layout';
import { Selection } from '../lib/selection';
import { toasts } from '../ui/toasts.svelte';
import { Pages } from './pages.svelte';

const NOTHING: Snapshot = { snapshot: '', q: '', total: 0, sections: [], filters: [], words: [] };

class Library {
  query = $state('');
  view = $state<Snapshot>(NOTHING);
  pages = $state<Pages>(new Pages('', () => undefined));
  ratios = $state.raw<Uint16Array>(new Uint16Array());
  width = $state(0);
  targetHeight = $state(Number(localStorage.getItem('size')) || 220);
  focused = $state(0);
  anchor = $state(0);
  selection = $state.raw(new Selection());
  loaded = $state(false);
  error = $state<ApiError | undefined>();
  newer = $state(0);
  status = $state<Status | undefined>();
  layout = $derived(new Layout(this.ratios, this.view.sections, Math.max(200, this.width), this.targetHeight));
  private asked = 0;

  async open(query: string, at?: string | null): Promise<void> {
    const asked = ++this.asked;
    try {
      const view = await post<Snapshot>('/api/queries', { q: query });
      const ratios = await geometry(view.snapshot);
      const index = at ? await this.position(view.snapshot, at) : null;
      if (asked !== this.asked) return;
      this.pages.close();
      this.pages = new Pages(view.snapshot, () => void this.open(this.query, this.uuidOf(this.focused)));
      this.query = query;
      this.ratios = ratios;
      this.view = view;
      this.focused = Math.max(0, index ?? 0);
      this.anchor = this.focused;
      this.selection = new Selection();
      this.error = undefined;
      this.newer = 0;
    } catch (error) {
      if (asked === this.asked && error instanceof ApiError) this.error = error;
    } finally {
      if (asked === this.asked) this.loaded = true;
    }
    void this.refreshStatus();
  }

  async refreshStatus(): Promise<void> {
    this.status = await get<Status>('/api/status').catch(() => this.status);
  }

  uuidOf(index: number): string | undefined {
    return this.pages.item(index)?.uuid;
  }

  selectAll(): void {
    this.selection = this.view.total ? new Selection().withRange(0, this.view.total - 1) : new Selection();
  }

  private async position(snapshot: string, uuid: string): Promise<number | null> {
    const path = `/api/queries/${snapshot}/position?uuid=${encodeURIComponent(uuid)}`;
    return (await get<{ index: number | null }>(path).catch(() => ({ index: null }))).index;
  }

  setSize(height: number): void {
    this.targetHeight = height;
    localStorage.setItem('size', String(height));
  }

  /** Favourite or rate what is chosen, or the focused image; shown at once, undone by a toast. */
  async mark(set: { favorite?: boolean; rating?: number }): Promise<void> {
    if (!this.view.total) return;
    const chosen = this.selection.count ? this.selection : new Selection().withRange(this.focused, this.focused);
    const before = this.pages;
    before.mark(chosenIn(chosen), set);
    try {
      const done = await post<Done>('/api/bulk', {
        snapshot: this.view.snapshot,
        ranges: chosen.ranges,
        except: [...chosen.leftOut],
        set,
      });
      if (done.changed) toasts.add(described(set, done.changed), () => this.undo(done.operation));
    } catch (error) {
      before.refresh(null);
      toasts.add(error instanceof Error ? error.message : 'That did not work.');
    }
  }

  private async undo(operation: number): Promise<void> {
    try {
      await post(`/api/undo/${operation}`);
      this.pages.refresh(null);
    } catch (error) {
      toasts.add(error instanceof Error ? error.message : 'It could not be undone.');
    }
  }
}

/** What is near enough to be on screen; the rest is fetched anew when it comes into view. */
function* chosenIn(selection: Selection): Generator<number> {
  let left = 5_000;
  for (const [from, end] of selection.ranges) {
    for (let index = from; index < end && left-- > 0; index++) if (!selection.leftOut.has(index)) yield index;
  }
}

function described(set: { favorite?: boolean; rating?: number }, changed: number): string {
  const images = changed === 1 ? '1 image' : `${changed.toLocaleString('en-US')} images`;
  if (set.favorite !== undefined) return set.favorite ? `${images} added to favourites` : `${images} removed from favourites`;
  return set.rating ? `${images} rated ${'★'.repeat(set.rating)}` : `Rating of ${images} cleared`;
}

export const library = new Library();
