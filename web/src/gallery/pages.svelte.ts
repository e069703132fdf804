/** Rows of a snapshot, fetched by the page as they come into view, the least used forgotten. */

import { SvelteMap } from 'svelte/reactivity';

import { ApiError, get, type Page } from '../api/client';

export const PAGE_SIZE = 256;
const PAGES_KEPT = 120;
const IN_FLIGHT = 4;

export interface Item {
  uuid: string;
  thumb: string | null;
  color: number | null;
  favorite: boolean;
  rating: number;
  flags: number;
  width: number;
  height: number;
  timestamp: number;
  prompt: string;
}

export class Pages {
  private readonly kept = new SvelteMap<number, Page>();
  private readonly loading = new Map<number, AbortController>();
  private wanted: number[] = [];

  constructor(
    readonly snapshot: string,
    private readonly onGone: () => void,
  ) {}

  /** What is known of an image; undefined while its page is on its way, or for a hole. */
  item(index: number): Item | undefined {
    const page = this.kept.get(Math.floor(index / PAGE_SIZE));
    const at = index % PAGE_SIZE;
    const uuid = page?.uuid[at];
    if (!page || !uuid) return undefined;
    return {
      uuid,
      thumb: page.thumb[at] ?? null,
      color: page.color[at] ?? null,
      favorite: page.favorite[at] === 1,
      rating: page.rating[at] ?? 0,
      flags: page.flags[at] ?? 0,
      width: page.width[at] ?? 0,
      height: page.height[at] ?? 0,
      timestamp: page.timestamp[at] ?? 0,
      prompt: page.prompt[at] ?? '',
    };
  }

  /** These images are in view: their pages are fetched, others on their way are not waited for. */
  want(first: number, end: number): void {
    const pages: number[] = [];
    for (let page = Math.floor(first / PAGE_SIZE); page * PAGE_SIZE < end; page++) pages.push(page);
    this.wanted = pages.filter((page) => !this.kept.has(page));
    for (const [page, control] of this.loading) {
      if (!pages.includes(page)) control.abort();
    }
    for (const page of pages) this.touch(page);
    this.pump();
  }

  /** Fetch again what is kept of these images, or of all. */
  refresh(uuids: readonly string[] | null): void {
    const known = uuids && new Set(uuids);
    for (const [number, page] of this.kept) {
      if (!known || page.uuid.some((uuid) => uuid !== null && known.has(uuid))) void this.load(number);
    }
  }

  /** Change what is shown at once; the server is told by whoever calls. */
  mark(indexes: Iterable<number>, set: { favorite?: boolean; rating?: number }): void {
    const changed = new Map<number, Page>();
    for (const index of indexes) {
      const number = Math.floor(index / PAGE_SIZE);
      const page = changed.get(number) ?? this.copied(number);
      if (!page) continue;
      if (set.favorite !== undefined) page.favorite[index % PAGE_SIZE] = set.favorite ? 1 : 0;
      if (set.rating !== undefined) page.rating[index % PAGE_SIZE] = set.rating;
      changed.set(number, page);
    }
    for (const [number, page] of changed) this.kept.set(number, page);
  }

  private copied(number: number): Page | undefined {
    const page = this.kept.get(number);
    return page && { ...page, favorite: [...page.favorite], rating: [...page.rating] };
  }

  close(): void {
    for (const control of this.loading.values()) control.abort();
  }

  private touch(page: number): void {
    const found = this.kept.get(page);
    if (!found || this.kept.size < PAGES_KEPT) return;
    this.kept.delete(page);
    this.kept.set(page, found);
  }

  private pump(): void {
    for (const page of this.wanted) {
      if (this.loading.size >= IN_FLIGHT) return;
      if (!this.loading.has(page) && !this.kept.has(page)) void this.load(page);
    }
  }

  private async load(page: number): Promise<void> {
    const control = new AbortController();
    this.loading.set(page, control);
    try {
      const path = `/api/queries/${this.snapshot}/items?start=${page * PAGE_SIZE}&count=${PAGE_SIZE}`;
      const got = await get<Page>(path, control.signal);
      this.kept.set(page, got);
      for (const oldest of this.kept.keys()) {
        if (this.kept.size <= PAGES_KEPT) break;
        this.kept.delete(oldest);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 410) this.onGone();
    } finally {
      if (this.loading.get(page) === control) this.loading.delete(page);
      this.wanted = this.wanted.filter((one) => one !== page || !this.kept.has(one));
      if (!control.signal.aborted) this.pump();
    }
  }
}
