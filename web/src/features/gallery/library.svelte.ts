/** The state of the gallery: the query, its snapshot, the focus and the selection. Outlives every component. */

import { ApiError, geometry, get, post, type Snapshot, type Status } from '../../api/client';
import { formatCount } from '../../lib/format';
import { Layout } from '../../lib/layout';
import { Selection } from '../../lib/selection';
import { announcer } from '../../ui/announcer.svelte';
import { Pages } from './pages.svelte';

const NOTHING: Snapshot = { snapshot: '', q: '', total: 0, sections: [], filters: [], words: [], sort: 'newest', unknown: [] };
const NARROWEST_PX = 200;
/** For up to this number of images, the gallery asks which of them leave the list. */
const FADED = 24;
const FADE_MS = 120;

export interface Place {
  index: number;
  /** How much of the image's row is above the view, 0 to 1. */
  fraction: number;
}
/** The scroll position for a new view. */
export type Landing = Place | 'top' | 'focus';
/** The scope of the images: library or Trash. */
export type Scope = 'library' | 'trash';

/** `wording` is the query as it is sent: as the server understood it, when it is sent again. */
interface Wanted {
  query: string;
  scope: Scope;
  wording: string;
  renewed: boolean;
  /** The images that leave the list. */
  gone?: Selection;
}

/** How long a key waits for the rows it is about. */
export const ROWS_WITHIN_MS = 10_000;

class Library {
  scope = $state<Scope>('library');
  query = $state('');
  view = $state.raw<Snapshot>(NOTHING);
  pages = $state.raw<Pages>(new Pages('', () => undefined));
  ratios = $state.raw<Uint16Array>(new Uint16Array());
  width = $state(0);
  targetHeight = $state(Number(localStorage.getItem('size')) || 220);
  focused = $state(0);
  anchor = $state(0);
  selection = $state.raw(new Selection());
  /** Images about to leave the list. */
  leaving = $state.raw(new Selection());
  /** Grows after a change that rows do not show, such as a note. */
  touched = $state(0);
  loaded = $state(false);
  /** A query is in progress. */
  busy = $state(false);
  error = $state.raw<ApiError | undefined>();
  newer = $state(0);
  /** There are changes that are not shown yet, because showing them would clear the selection. */
  outdated = $state(false);
  status = $state.raw<Status | undefined>();
  layout = $derived.by(() => {
    this.laid = new Layout(this.ratios, this.view.sections, Math.max(NARROWEST_PX, this.width), this.targetHeight, this.laid);
    return this.laid;
  });
  /** The image at the top of the view, unless the list is scrolled to the top; set by the grid. */
  viewpoint: () => Place | undefined = () => undefined;
  private laid: Layout | undefined;
  private asked = 0;
  private opening = 0;
  private renewing: Promise<void> = Promise.resolve();
  private landing: Landing | undefined;

  /** Opens a query at the image `at` if it is among the results, else at the newest. */
  async open(query: string, at?: string | null, scope: Scope = 'library'): Promise<void> {
    this.opening++;
    const opened = this.show({ query, scope, wording: query, renewed: false }, async (pages) => {
      const index = at ? await this.position(pages.snapshot, at) : null;
      return { focused: index ?? 0, landing: index ? 'focus' : 'top' };
    });
    await opened.finally(() => this.opening--);
  }

  /**
   * Runs the same query again: focus and scroll position stay with their images, or the focus goes to the image `at`.
   * If those images are in `gone` and no longer found, both move to the next image that is left.
   */
  renew(gone = new Selection(), at?: string): Promise<void> {
    // One after the other: each keeps the position that the one before it left.
    this.renewing = this.renewing.catch(() => undefined).then(() => this.openAgain(gone, at));
    return this.renewing;
  }

  private async openAgain(gone: Selection, at: string | undefined): Promise<void> {
    // Another search is in progress and brings the changes.
    if (this.opening) return;
    const top = this.viewpoint();
    // Without `gone`, a list at the newest images stays at the newest.
    const focused = this.focused > 0 || gone.count ? this.successors(this.focused, gone) : { uuids: [], index: 0 };
    if (at) focused.uuids.unshift(at);
    const atTop = top && this.successors(top.index, gone);
    // As the server understood it: a random order stays the same.
    const wording = this.view.q || this.query;
    return this.show({ query: this.query, scope: this.scope, wording, renewed: true, gone }, async (pages) => {
      const index = await this.found(pages.snapshot, focused);
      const there = atTop && (await this.found(pages.snapshot, atTop));
      // To avoid flicker, the rows in view are loaded before the view is replaced.
      await pages.bring([index, there ?? 0]);
      await this.fade(pages.snapshot, gone);
      return { focused: index, landing: top && there !== undefined ? { index: there, fraction: top.fraction } : 'top' };
    });
  }

  /** Images that the new view no longer has fade, if they are few, before the list closes up. */
  private async fade(snapshot: string, gone: Selection): Promise<void> {
    if (!gone.count || gone.count > FADED || this.leaving.count) return;
    const indexes = gone.ranges.flatMap(([from, end]) => Array.from({ length: end - from }, (_, at) => from + at)).filter((index) => gone.has(index));
    const there = await Promise.all(
      indexes.map(async (index) => {
        const uuid = this.uuidOf(index);
        return !uuid || (await this.position(snapshot, uuid)) !== null;
      }),
    );
    const leaving = indexes.filter((_, at) => !there[at]).reduce((all, index) => all.withRange(index, index), new Selection());
    if (!leaving.count) return;
    this.leaving = leaving;
    await new Promise((done) => setTimeout(done, FADE_MS));
  }

  /** The images to look for in a new view in place of the one at `index`, and its index if none is found. */
  private successors(index: number, gone: Selection): { uuids: string[]; index: number } {
    const next = gone.nextOutside(index, this.view.total);
    const uuids = [this.uuidOf(index), next === index ? undefined : this.uuidOf(next)].filter((uuid) => uuid !== undefined);
    return { uuids, index: index - gone.countBefore(index) };
  }

  private async found(snapshot: string, wanted: { uuids: string[]; index: number }): Promise<number> {
    for (const uuid of wanted.uuids) {
      const index = await this.position(snapshot, uuid);
      if (index !== null) return index;
    }
    return wanted.index;
  }

  private async show(wanted: Wanted, find: (pages: Pages) => Promise<{ focused: number; landing: Landing }>): Promise<void> {
    const asked = ++this.asked;
    const { query, scope } = wanted;
    const { selection, focused: from } = this;
    this.busy = true;
    try {
      const view = scope === 'trash' ? await post('/api/v1/trash/snapshots') : await post('/api/v1/snapshots', { body: { q: wanted.wording } });
      const pages = new Pages(view.snapshot, () => void this.renew());
      const [ratios, found] = await Promise.all([geometry(view.snapshot), find(pages)]);
      let { focused } = found;
      let left = from;
      // If the user moved to another image meanwhile, the focus stays there.
      while (wanted.renewed && this.focused !== left) {
        left = this.focused;
        focused = await this.found(view.snapshot, this.successors(left, wanted.gone ?? new Selection()));
      }
      const moved = left !== from;
      if (asked !== this.asked) return;
      // A selection made meanwhile takes precedence over the changes.
      this.outdated = wanted.renewed && this.selection !== selection && this.selection.count > 0;
      if (this.outdated) return;
      this.pages.close();
      this.pages = pages;
      if (query !== this.query || scope !== this.scope) announcer.say(formatCount(view.total, 'image'));
      this.query = query;
      this.scope = scope;
      this.ratios = ratios;
      this.view = view;
      this.focused = this.anchor = Math.max(0, Math.min(focused, view.total - 1));
      this.landing = moved ? 'focus' : found.landing;
      this.selection = this.leaving = new Selection();
      this.error = undefined;
      this.newer = 0;
    } catch (error) {
      if (asked !== this.asked) return;
      this.refuse(query, error);
    } finally {
      if (asked === this.asked) {
        if (this.view.total === 0) await this.refreshStatus();
        this.busy = false;
        this.loaded = true;
      }
    }
  }

  /** An invalid query has no results; if the server is unavailable, the current results stay. */
  private refuse(query: string, error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.error = error;
    if (!error.isInvalid) return;
    this.query = query;
    this.view = NOTHING;
    this.ratios = new Uint16Array();
    this.focused = this.anchor = 0;
    this.selection = new Selection();
  }

  /** The scroll position for the view that has arrived; undefined if there is no new one. */
  takeLanding(): Landing | undefined {
    const { landing } = this;
    this.landing = undefined;
    return landing;
  }

  async refreshStatus(): Promise<void> {
    this.status = await get('/api/v1/status').catch(() => this.status);
  }

  /** The focused image, also when a key was faster than the rows; undefined in an empty list. */
  async focusedUuid(): Promise<string | undefined> {
    const index = this.focused;
    if (this.view.total) await this.pages.bring([index], ROWS_WITHIN_MS);
    return this.uuidOf(index);
  }

  uuidOf(index: number): string | undefined {
    return this.pages.item(index)?.uuid;
  }

  /** The index of an image in the view. */
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

  private async position(snapshot: string, uuid: string): Promise<number | null> {
    const found = get('/api/v1/snapshots/{token}/position', { params: { path: { token: snapshot }, query: { uuid } } });
    return (await found.catch(() => ({ index: null }))).index;
  }
}

export const library = new Library();
