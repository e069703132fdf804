/** Invalidation of lists: each list has a version that grows when it must be fetched again. */

// Edits come in slices and images by the hundred: lists are fetched once changes settle, or at intervals.
const REST_MS = 250;
const AT_MOST_MS = 1_500;

export type List = 'tags' | 'collections' | 'counts' | 'roots' | 'events';

class Invalidation {
  private readonly numbers = $state<Record<List, number>>({ tags: 0, collections: 0, counts: 0, roots: 0, events: 0 });
  private readonly waiting = new Map<List, { first_ms: number; timer: ReturnType<typeof setTimeout> }>();

  /** Reactive: readers run again after the next change. */
  versionOf(list: List): number {
    return this.numbers[list];
  }

  mark(...lists: List[]): void {
    for (const list of lists) this.wait(list);
  }

  private wait(list: List): void {
    const before = this.waiting.get(list);
    if (before) clearTimeout(before.timer);
    const first_ms = before?.first_ms ?? performance.now();
    const left_ms = Math.max(0, Math.min(REST_MS, first_ms + AT_MOST_MS - performance.now()));
    const timer = setTimeout(() => {
      this.waiting.delete(list);
      this.numbers[list]++;
    }, left_ms);
    this.waiting.set(list, { first_ms, timer });
  }
}

export const invalidation = new Invalidation();
