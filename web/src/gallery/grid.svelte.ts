/** Moving through the grid: where things are, and what the keys do. */

import type { Layout } from '../lib/layout';
import { library } from './library.svelte';
import { Scroller } from './scroller.svelte';

export interface Top {
  index: number;
  /** How much of the row is above the view, 0 to 1. */
  fraction: number;
}

class Grid {
  readonly scroller = new Scroller();
  element: HTMLElement | undefined;
  /** The snapshot that the scroll position belongs to. */
  snapshot = '';

  /** Whether the newest images are in view. */
  get atTop(): boolean {
    return this.scroller.y < 80;
  }

  /** The day at the top of the view. */
  get day(): string | undefined {
    return library.view.sections[library.layout.sectionAt(this.scroller.y + 60)]?.day;
  }

  topOf(layout: Layout, y: number): Top {
    const row = layout.rowAt(y);
    const height = layout.rowHeight[row] ?? 1;
    return { index: layout.rowFirst[row] ?? 0, fraction: (y - (layout.rowTop[row] ?? 0)) / height };
  }

  yOf(layout: Layout, top: Top): number {
    const row = layout.rowOf(top.index);
    return (layout.rowTop[row] ?? 0) + top.fraction * (layout.rowHeight[row] ?? 1);
  }

  /** Bring an image into view, in the middle when it is far away or `middle` says so. */
  reveal(index: number, middle = false): void {
    const { layout } = library;
    const row = layout.rowOf(index);
    const top = layout.rowTop[row] ?? 0;
    const height = layout.rowHeight[row] ?? 0;
    const { y, height: view } = this.scroller;
    if (!middle && top >= y + 8 && top + height <= y + view - 8) return;
    if (middle || Math.abs(top - y) > view * 2) this.scroller.to(top - (view - height) / 2);
    else this.scroller.to(top < y + 8 ? top - 48 : top + height - view + 12);
  }

  focus(index: number): void {
    const last = library.view.total - 1;
    if (last < 0) return;
    library.focused = Math.max(0, Math.min(last, index));
    this.reveal(library.focused);
    this.take();
  }

  /** Give the keyboard to the focused tile, once it is drawn. */
  take(): void {
    requestAnimationFrame(() => {
      const tile = this.element?.querySelector<HTMLElement>(`[data-index="${library.focused}"]`);
      tile?.focus({ preventScroll: true });
    });
  }

  move(columns: number, rows: number): void {
    this.focus(rows ? library.layout.vertical(library.focused, rows) : library.focused + columns);
  }

  page(direction: 1 | -1): void {
    const { layout } = library;
    const row = layout.rowOf(library.focused);
    const wanted = layout.rowAt((layout.rowTop[row] ?? 0) + direction * this.scroller.height * 0.9);
    this.focus(layout.rowFirst[wanted] ?? library.focused);
  }

  /** To the first image of the day or month before or after. */
  section(direction: 1 | -1, by: 'day' | 'month'): void {
    const { sections } = library.view;
    let at = sections.findLastIndex((section) => section.start <= library.focused);
    const length = by === 'day' ? 10 : 7;
    const from = sections[at]?.day.slice(0, length);
    while (sections[at] && sections[at]?.day.slice(0, length) === from) at += direction;
    const there = sections[at];
    if (!there) return;
    const first = sections.find((section) => section.day.slice(0, length) === there.day.slice(0, length)) ?? there;
    this.focus(first.start);
  }

  /** To the newest image of a day, month or year, or the nearest older one. */
  toDate(date: string): boolean {
    const found = library.view.sections.find((section) => section.day.slice(0, date.length) <= date);
    if (!found) return false;
    this.focus(found.start);
    return true;
  }
}

export const grid = new Grid();
