/** Rows of a snapshot (a keyset), fetched by page as they come into view; the least recently used pages are dropped. */

import { SvelteMap } from 'svelte/reactivity';

import { ApiError, get, type Page } from '../../api/client';

export const PAGE_SIZE = 256;
export const PAGES_KEPT = 120;
export const IN_FLIGHT = 4;
/** About the number of images in view at a time. */
const IN_VIEW = 60;
const PATIENCE_MS = 400;

export interface Item {
  uuid: string;
  thumb: string | null;
  color: number | null;
  favorite: boolean;
  rating: number;
  missing: boolean;
  damaged: boolean;
  /** Too large for a thumbnail. */
  tooLarge: boolean;
  /** How the browser must turn the file (EXIF, 1 to 8); 1 if it does so by itself. */
  orientation: number;
  width: number;
  height: number;
  timestamp: number;
  prompt: string;
  explicit: number | null;
}

export class Pages {
  private readonly kept = new SvelteMap<number, Page>();
  private readonly loading = new Map<number, AbortController>();
  /** When each page was last in view, as a growing counter. */
  private readonly used = new Map<number, number>();
  private wanted: number[] = [];
  private turn = 0;

  /** `onGone` is called when the server has dropped the snapshot. */
  constructor(
    readonly snapshot: string,
    private readonly onGone: () => void,
  ) {}

  /** The loaded row of an image; undefined while its page is loading, or for a hole. */
  item(index: number): Item | undefined {
    const page = this.kept.get(Math.floor(index / PAGE_SIZE));
    const at = index % PAGE_SIZE;
    const uuid = page?.uuid[at];
    if (!page || !uuid) return undefined;
    const flags = page.flags[at] ?? 0;
    return {
      uuid,
      thumb: page.thumb[at] ?? null,
      color: page.color[at] ?? null,
      favorite: page.favorite[at] === 1,
      rating: page.rating[at] ?? 0,
      missing: (flags & 1) !== 0,
      damaged: (flags & 2) !== 0,
      tooLarge: (flags & 8) !== 0,
      orientation: ((flags >> 4) & 7) + 1,
      width: page.width[at] ?? 0,
      height: page.height[at] ?? 0,
      timestamp: page.timestamp[at] ?? 0,
      prompt: page.prompt[at] ?? '',
      explicit: page.explicit[at] ?? null,
    };
  }

  /** Fetches the pages of the images in view and cancels waiting for others. */
  want(first: number, end: number): void {
    const pages: number[] = [];
    for (let page = Math.floor(first / PAGE_SIZE); page * PAGE_SIZE < end; page++) pages.push(page);
    for (const page of pages) this.used.set(page, ++this.turn);
    for (const [page, control] of this.loading) {
      if (pages.includes(page)) continue;
      control.abort();
      this.loading.delete(page);
    }
    this.wanted = pages.filter((page) => !this.kept.has(page));
    this.pump();
  }

  /** Loads the pages of these images and the ones after, before they are shown; does not wait for slow ones. */
  async bring(indexes: readonly number[], patience_ms = PATIENCE_MS): Promise<void> {
    const wanted = new Set(indexes.flatMap((index) => [index, index + IN_VIEW].map((one) => Math.max(0, Math.floor(one / PAGE_SIZE)))));
    const loaded = Promise.all([...wanted].filter((page) => !this.kept.has(page)).map((page) => this.load(page)));
    await Promise.race([loaded, new Promise((done) => setTimeout(done, patience_ms))]);
  }

  /** Reloads the loaded rows of these images, or of all. */
  refresh(uuids: readonly string[] | null): void {
    const known = uuids && new Set(uuids);
    for (const [number, page] of this.kept) {
      if (known && !page.uuid.some((uuid) => uuid !== null && known.has(uuid))) continue;
      // Pages out of view are fetched when they come into view again.
      if ((this.used.get(number) ?? 0) > this.turn - IN_FLIGHT) void this.load(number);
      else this.forget(number);
    }
  }

  /** Changes the loaded rows of the selected images at once; the caller sends the edit to the server. */
  mark(selected: { has(index: number): boolean }, set: { favorite?: boolean; rating?: number }): void {
    for (const [number, page] of this.kept) {
      const hits = page.uuid.flatMap((_, at) => (selected.has(number * PAGE_SIZE + at) ? [at] : []));
      if (!hits.length) continue;
      const changed = { ...page, favorite: [...page.favorite], rating: [...page.rating] };
      for (const at of hits) {
        if (set.favorite !== undefined) changed.favorite[at] = set.favorite ? 1 : 0;
        if (set.rating !== undefined) changed.rating[at] = set.rating;
      }
      this.kept.set(number, changed);
    }
  }

  close(): void {
    for (const control of this.loading.values()) control.abort();
    this.loading.clear();
  }

  private forget(number: number): void {
    this.kept.delete(number);
    this.used.delete(number);
  }

  private pump(): void {
    for (const page of this.wanted) {
      if (this.loading.size >= IN_FLIGHT) return;
      if (!this.loading.has(page) && !this.kept.has(page)) void this.load(page);
    }
  }

  private async load(page: number): Promise<void> {
    const control = new AbortController();
    this.loading.get(page)?.abort();
    this.loading.set(page, control);
    try {
      const params = { path: { token: this.snapshot }, query: { start: page * PAGE_SIZE, count: PAGE_SIZE } };
      const got = await get('/api/v1/snapshots/{token}/items', { params, signal: control.signal });
      if (control.signal.aborted) return;
      this.kept.set(page, got);
      this.evict();
    } catch (error) {
      if (error instanceof ApiError && error.status === 410) this.onGone();
    } finally {
      if (this.loading.get(page) === control) this.loading.delete(page);
      this.wanted = this.wanted.filter((one) => !this.kept.has(one));
      if (!control.signal.aborted && this.loading.size < IN_FLIGHT) this.pumpOthers(page);
    }
  }

  /** A page that has just failed is not retried until it is requested again. */
  private pumpOthers(page: number): void {
    this.wanted = this.wanted.filter((one) => one !== page);
    this.pump();
  }

  private evict(): void {
    while (this.kept.size > PAGES_KEPT) {
      let oldest = -1;
      for (const page of this.kept.keys()) {
        if (oldest < 0 || (this.used.get(page) ?? 0) < (this.used.get(oldest) ?? 0)) oldest = page;
      }
      this.forget(oldest);
    }
  }
}
