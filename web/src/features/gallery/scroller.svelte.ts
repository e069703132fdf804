/**
 * Scrolling a list that is taller than any browser allows: a box of bounded height is moved along it.
 *
 * Positions are whole CSS pixels, so that moving the box never moves what is in view.
 */

import { tick } from 'svelte';

/** Well below the limits of Chromium (33 M), Firefox (17.9 M) and Safari. */
export const BOX = 1 << 22;
const IDLE_MS = 120;
/** The box moves when the view is this near to one of its ends that is no end of the list; no frame scrolls farther. */
const EDGE = BOX / 64;
/** Beyond the box. Browsers use low precision far from the origin. */
const OUTSIDE = 10_000;

export class Scroller {
  /** The position in the list. */
  y = $state(0);
  height = $state(0);
  /** Pixels per second, to know when fetching is useless. */
  velocity = $state(0);
  private base = $state(0);
  private total = $state(0);
  private element: HTMLElement | undefined;
  private last = 0;
  private settled: ReturnType<typeof setTimeout> | undefined;

  get boxHeight(): number {
    return Math.min(this.total, BOX);
  }

  /** Where the box begins in the list. */
  get offset(): number {
    return this.base;
  }

  get maximum(): number {
    return Math.max(0, this.total - this.height);
  }

  /** The position in the box; positions far outside are clamped to just outside. */
  inBox(y: number): number {
    return Math.max(-OUTSIDE, Math.min(this.boxHeight + OUTSIDE, y - this.base));
  }

  /** Call the result to detach the element; the position stays. */
  attach(element: HTMLElement): () => void {
    this.element = element;
    return () => {
      clearTimeout(this.settled);
      this.velocity = 0;
      if (this.element === element) this.element = undefined;
    };
  }

  setTotal(total: number): void {
    this.total = Math.ceil(total);
    this.base = Math.max(0, Math.min(this.base, this.total - this.boxHeight));
  }

  onScroll(now = performance.now()): void {
    if (!this.element) return;
    const top = this.element.scrollTop;
    const y = this.base + top;
    if (now > this.last) this.velocity = (Math.abs(y - this.y) / Math.max(8, now - this.last)) * 1000;
    this.last = now;
    this.y = y;
    clearTimeout(this.settled);
    this.settled = setTimeout(() => this.settle(), IDLE_MS);
    const nearTop = top < EDGE && this.base > 0;
    const nearEnd = top > this.boxHeight - this.height - EDGE && this.base + this.boxHeight < this.total;
    if (nearTop || nearEnd) this.place();
  }

  to(y: number): void {
    this.y = Math.round(Math.max(0, Math.min(this.maximum, y)));
    this.velocity = 0;
    this.place();
  }

  private settle(): void {
    this.velocity = 0;
    if (!this.element) return;
    const top = this.element.scrollTop;
    // The last scroll event may not have arrived yet.
    this.y = this.base + top;
    if (this.total > BOX && (top < BOX / 4 || top > (BOX * 3) / 4)) this.place();
  }

  /** Places the box around the position. */
  private place(): void {
    const wanted = Math.round(this.y - BOX / 2);
    this.base = Math.max(0, Math.min(this.total - this.boxHeight, wanted));
    // The box needs its new height, and its rows their new positions, before it scrolls.
    void tick().then(() => {
      const top = this.y - this.base;
      if (this.element && this.element.scrollTop !== top) this.element.scrollTop = top;
    });
  }
}
