/** What the gallery shows: one query, its snapshot, what is focused and chosen. Outlives every component. */

import { ApiError, geometry, get, post, type Snapshot, type Status } from '../../api/client';
import { formatNumber } from '../../lib/format';
import { Layout } from '../../lib/layout';
import { Selection } from '../../lib/selection';
import { announcer } from '../../ui/announcer.svelte';
import { Pages } from './pages.svelte';

const NOTHING: Snapshot = { snapshot: '', q: '', total: 0, sections: [], filters: [], words: [], sort: 'newest', unknown: [] };
const NARROWEST_PX = 200;
/** Of so many images it is asked which of them go. */
const FADED = 24;
const FADE_MS = 120;

export interface Place {
  index: number;
  /** How much of the image's row is above the view, 0 to 1. */
  fraction: number;
}
/** Where a new view is shown first. */
export type Landing = Place | 'top' | 'focus';
/** Where the images are that are shown. */
export type Scope = 'library' | 'trash';

/** `wording` is the query as it is sent: as it was understood, where it is asked anew. */
interface Wanted {
  query: string;
  scope: Scope;
  wording: string;
  renewed: boolean;
  /** What goes from the list. */
  gone?: Selection;
}

/** A key waits so long for the rows that it is about. */
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
  /** What is about to go from the list. */
  leaving = $state.raw(new Selection());
  /** Grows when something was done that rows do not show, such as a note. */
  touched = $state(0);
  loaded = $state(false);
  /** A query is on its way. */
  busy = $state(false);
  error = $state.raw<ApiError | undefined>();
  newer = $state(0);
  /** Something has changed that is not shown, for it would take away what is chosen. */
  outdated = $state(false);
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
  private renewing: Promise<void> = Promise.resolve();
  private landing: Landing | undefined;

  /** A query's images; at the image `at` when it is among them, else at the newest. */
  async open(query: string, at?: string | null, scope: Scope = 'library'): Promise<void> {
    this.opening++;
    const opened = this.show({ query, scope, wording: query, renewed: false }, async (pages) => {
      const index = at ? await this.position(pages.snapshot, at) : null;
      return { focused: index ?? 0, landing: index ? 'focus' : 'top' };
    });
    await opened.finally(() => this.opening--);
  }

  /**
   * The same query asked anew: focus and view stay with the images they were at, or the focus goes to the
   * image `at`. Where those are among `gone` and not found any more, they go to the next that stays.
   */
  renew(gone = new Selection(), at?: string): Promise<void> {
    // One after the other: each keeps the place that the one before it left.
    this.renewing = this.renewing.catch(() => undefined).then(() => this.openAgain(gone, at));
    return this.renewing;
  }

  private async openAgain(gone: Selection, at: string | undefined): Promise<void> {
    // Another search is on its way, and brings what is new.
    if (this.opening) return;
    const top = this.viewpoint();
    // Without `gone`, who is at the newest stays with the newest.
    const focused = this.focused > 0 || gone.count ? this.successors(this.focused, gone) : { uuids: [], index: 0 };
    if (at) focused.uuids.unshift(at);
    const atTop = top && this.successors(top.index, gone);
    // As it was understood: an order by chance stays the same one.
    const wording = this.view.q || this.query;
    return this.show({ query: this.query, scope: this.scope, wording, renewed: true, gone }, async (pages) => {
      const index = await this.found(pages.snapshot, focused);
      const there = atTop && (await this.found(pages.snapshot, atTop));
      // Nothing flashes: what will be in view is there before the view is.
      await pages.bring([index, there ?? 0]);
      await this.fade(pages.snapshot, gone);
      return { focused: index, landing: top && there !== undefined ? { index: there, fraction: top.fraction } : 'top' };
    });
  }

  /** What a new view does not have any more of a few images fades, before its neighbours close up. */
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

  /** Whom to look for in a new view to be where `index` is in this one, and its index if none is found. */
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
      const view = scope === 'trash' ? await post<Snapshot>('/api/trash/queries') : await post<Snapshot>('/api/queries', { q: wanted.wording });
      const pages = new Pages(view.snapshot, () => void this.renew());
      const [ratios, found] = await Promise.all([geometry(view.snapshot), find(pages)]);
      let { focused } = found;
      let left = from;
      // Who has gone on to another image meanwhile stays there, also while it is asked where that is now.
      while (wanted.renewed && this.focused !== left) {
        left = this.focused;
        focused = await this.found(view.snapshot, this.successors(left, wanted.gone ?? new Selection()));
      }
      const moved = left !== from;
      if (asked !== this.asked) return;
      // What was chosen meanwhile is worth more than what is new.
      this.outdated = wanted.renewed && this.selection !== selection && this.selection.count > 0;
      if (this.outdated) return;
      this.pages.close();
      this.pages = pages;
      if (query !== this.query || scope !== this.scope) announcer.say(view.total === 1 ? '1 image' : `${formatNumber(view.total)} images`);
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

  /** A query that cannot be read finds nothing; when the server is gone, what is shown stays. */
  private refuse(query: string, error: unknown): void {
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

  /** The image in focus, also where a key was quicker than the rows; undefined in an empty list. */
  async focusedUuid(): Promise<string | undefined> {
    const index = this.focused;
    if (this.view.total) await this.pages.bring([index], ROWS_WITHIN_MS);
    return this.uuidOf(index);
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

  private async position(snapshot: string, uuid: string): Promise<number | null> {
    const path = `/api/queries/${snapshot}/position?uuid=${encodeURIComponent(uuid)}`;
    return (await get<{ index: number | null }>(path).catch(() => ({ index: null }))).index;
  }
}

export const library = new Library();
