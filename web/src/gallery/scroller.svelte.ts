/** Scrolling a list that is taller than any browser allows: a box of bounded height is moved along it. */

const BOX = 1 << 22;

export class Scroller {
  /** The position in the list, in CSS pixels. */
  y = $state(0);
  height = $state(0);
  /** Pixels per second, for knowing when fetching is useless. */
  velocity = $state(0);
  private base = $state(0);
  private total = $state(0);
  private element: HTMLElement | undefined;
  private last = 0;
  private settled: ReturnType<typeof setTimeout> | undefined;

  get boxHeight(): number {
    return Math.min(this.total, BOX);
  }

  get offset(): number {
    return this.base;
  }

  attach(element: HTMLElement): void {
    this.element = element;
  }

  setTotal(total: number): void {
    this.total = total;
  }

  get maximum(): number {
    return Math.max(0, this.total - this.height);
  }

  onScroll(): void {
    if (!this.element) return;
    const now = performance.now();
    const y = this.base + this.element.scrollTop;
    if (now > this.last) this.velocity = Math.abs(y - this.y) / Math.max(8, now - this.last) * 1000;
    this.last = now;
    this.y = y;
    clearTimeout(this.settled);
    this.settled = setTimeout(() => {
      this.velocity = 0;
      this.rebase();
    }, 120);
    const edge = 4 * this.height;
    const top = this.element.scrollTop;
    if ((top < edge && this.base > 0) || (top > this.boxHeight - this.height - edge && this.base + this.boxHeight < this.total)) {
      this.rebase();
    }
  }

  to(y: number): void {
    this.y = Math.max(0, Math.min(this.maximum, y));
    this.velocity = 0;
    this.place();
  }

  private rebase(): void {
    if (!this.element || this.total <= BOX) return;
    const top = this.element.scrollTop;
    if (top > BOX / 4 && top < (BOX * 3) / 4) return;
    this.place();
  }

  private place(): void {
    this.base = Math.max(0, Math.min(this.total - this.boxHeight, Math.round(this.y - BOX / 2)));
    const top = this.y - this.base;
    // The box must have its new height before the position is set.
    queueMicrotask(() => {
      if (this.element && Math.abs(this.element.scrollTop - top) > 0.5) this.element.scrollTop = top;
    });
  }
}
