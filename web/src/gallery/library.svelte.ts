/** What the gallery shows: one query, its snapshot, what is focused and chosen. Outlives every component. */

import { ApiError, geometry, get, post, type Done, type Snapshot, type Status } from '../api/client';
import { connection } from '../api/connection.svelte';
import { Layout } from '../lib/layout';
import { Selection } from '../lib/selection';
import { grouped } from '../lib/words';
import { announcer } from '../ui/announcer.svelte';
import { toasts } from '../ui/toasts.svelte';
import { undo } from '../ui/undoing';
import { Pages } from './pages.svelte';

const NOTHING: Snapshot = { snapshot: '', q: '', total: 0, sections: [], filters: [], words: [], sort: 'newest', unknown: [] };
const NARROWEST_PX = 200;

export interface Place {
  index: number;
  /** How much of the image's row is above the view, 0 to 1. */
  fraction: number;
}
/** Where a new view is shown first. */
export type Landing = Place | 'top' | 'focus';
export type Marks = { favorite: boolean } | { rating: number };

class Library {
  query = $state('');
  view = $state.raw<Snapshot>(NOTHING);
  pages = $state.raw<Pages>(new Pages('', () => undefined));
  ratios = $state.raw<Uint16Array>(new Uint16Array());
  width = $state(0);
  targetHeight = $state(Number(localStorage.getItem('size')) || 220);
  focused = $state(0);
  anchor = $state(0);
  selection = $state.raw(new Selection());
  loaded = $state(false);
  /** A query is on its way. */
  busy = $state(false);
  error = $state.raw<ApiError | undefined>();
  newer = $state(0);
  status = $state.raw<Status | undefined>();
  layout = $derived.by(() => {
    this.laid = new Layout(this.ratios, this.view.sections, Math.max(NARROWEST_PX, this.width), this.targetHeight, this.laid);
    return this.laid;
  });
  /** What is at the top of the view, unless that is the very top; the grid knows. */
  viewpoint: () => Place | undefined = () => undefined;
  private laid: Layout | undefined;
  private asked = 0;
  private opening = 0;
  private landing: Landing | undefined;

  /** A query's images; at the image `at` when it is among them, else at the newest. */
  async open(query: string, at?: string | null): Promise<void> {
    this.opening++;
    const opened = this.show(query, query, async (snapshot) => {
      const index = at ? await this.position(snapshot, at) : null;
      return { focused: index ?? 0, landing: index ? 'focus' : 'top' };
    });
    await opened.finally(() => this.opening--);
  }

  /** The same query asked anew: focus and view stay with the images they were at. */
  async renew(): Promise<void> {
    // Another search is on its way, and brings what is new.
    if (this.opening) return;
    const top = this.viewpoint();
    const { focused } = this;
    const [focusedUuid, topUuid] = [focused > 0 ? this.uuidOf(focused) : undefined, top && this.uuidOf(top.index)];
    // As it was understood: an order by chance stays the same one.
    const understood = this.view.q || this.query;
    return this.show(this.query, understood, async (snapshot) => {
      const index = focusedUuid ? await this.position(snapshot, focusedUuid) : null;
      const there = topUuid ? await this.position(snapshot, topUuid) : null;
      return { focused: index ?? focused, landing: top ? { index: there ?? top.index, fraction: top.fraction } : 'top' };
    });
  }

  private async show(query: string, wording: string, find: (snapshot: string) => Promise<{ focused: number; landing: Landing }>): Promise<void> {
    const asked = ++this.asked;
    this.busy = true;
    try {
      const view = await post<Snapshot>('/api/queries', { q: wording });
      const [ratios, { focused, landing }] = await Promise.all([geometry(view.snapshot), find(view.snapshot)]);
      if (asked !== this.asked) return;
      this.pages.close();
      this.pages = new Pages(view.snapshot, () => void this.renew());
      if (query !== this.query) announcer.say(view.total === 1 ? '1 image' : `${grouped(view.total)} images`);
      this.query = query;
      this.ratios = ratios;
      this.view = view;
      this.focused = this.anchor = Math.max(0, Math.min(focused, view.total - 1));
      this.landing = landing;
      this.selection = new Selection();
      this.error = undefined;
      this.newer = 0;
    } catch (error) {
      if (asked !== this.asked) return;
      this.refused(query, error);
    } finally {
      if (asked === this.asked) {
        if (this.view.total === 0) await this.refreshStatus();
        this.busy = false;
        this.loaded = true;
      }
    }
  }

  /** A query that cannot be read finds nothing; when the server is gone, what is shown stays. */
  private refused(query: string, error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.error = error;
    if (error.status !== 400) return;
    this.query = query;
    this.view = NOTHING;
    this.ratios = new Uint16Array();
    this.focused = this.anchor = 0;
    this.selection = new Selection();
  }

  /** Where the view that has come is to be shown; undefined when there is no new one. */
  takeLanding(): Landing | undefined {
    const { landing } = this;
    this.landing = undefined;
    return landing;
  }

  async refreshStatus(): Promise<void> {
    this.status = await get<Status>('/api/status').catch(() => this.status);
  }

  uuidOf(index: number): string | undefined {
    return this.pages.item(index)?.uuid;
  }

  /** The index of an image in what is shown. */
  indexOf(uuid: string): Promise<number | null> {
    return this.position(this.view.snapshot, uuid);
  }

  selectAll(): void {
    this.selection = this.view.total ? new Selection().withRange(0, this.view.total - 1) : new Selection();
  }

  setSize(height: number): void {
    this.targetHeight = height;
    localStorage.setItem('size', String(height));
  }

  /** Favourite or rate what is chosen, or the focused image; shown at once, undone by a toast. */
  mark(set: Marks): Promise<void> {
    return this.markIn(this.selection.count ? this.selection : new Selection().withRange(this.focused, this.focused), set);
  }

  /** The one that is looked at, whatever is chosen. */
  markFocused(set: Marks): Promise<void> {
    return this.markIn(new Selection().withRange(this.focused, this.focused), set);
  }

  markIn(chosen: Selection, set: Marks): Promise<void> {
    return toasts.during(this.marked(chosen, set));
  }

  private async marked(chosen: Selection, set: Marks): Promise<void> {
    if (!this.view.total) return;
    if (!connection.up) {
      toasts.add('MystiCanvas does not answer: nothing was changed. Try again when it is back.');
      return;
    }
    const before = this.pages;
    before.mark(chosen, set);
    try {
      const done = await post<Done>('/api/bulk', {
        snapshot: this.view.snapshot,
        ranges: chosen.ranges,
        except: [...chosen.leftOut],
        set,
      });
      if (done.changed) toasts.add(described(set, done.changed), () => undo(done.operation, () => this.pages.refresh(null)));
    } catch (error) {
      before.refresh(null);
      toasts.add(error instanceof Error ? error.message : 'That did not work.');
    }
  }

  private async position(snapshot: string, uuid: string): Promise<number | null> {
    const path = `/api/queries/${snapshot}/position?uuid=${encodeURIComponent(uuid)}`;
    return (await get<{ index: number | null }>(path).catch(() => ({ index: null }))).index;
  }
}

function described(set: Marks, changed: number): string {
  const images = changed === 1 ? '1 image' : `${grouped(changed)} images`;
  if ('favorite' in set) return set.favorite ? `${images} added to favourites` : `${images} removed from favourites`;
  return set.rating ? `${images} rated ${'★'.repeat(set.rating)}` : `Rating of ${images} cleared`;
}

export const library = new Library();
