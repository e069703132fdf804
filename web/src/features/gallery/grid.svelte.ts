/** Navigation in the grid: positions and keys. */

import type { Layout } from '../../lib/layout';
import { library, type Place } from './library.svelte';
import { Scroller } from './scroller.svelte';
import { sectionOfDate } from './timescale';

/** Space above and below an image that is scrolled into view. */
const ABOVE = 48;
const BELOW = 12;
const INSIDE = 8;
const AT_TOP = 80;

class Grid {
  readonly scroller = new Scroller();
  element: HTMLElement | undefined;
  /** Whether an image had the keyboard focus last: it gets it back when it is drawn again. */
  hasKeys = false;
  private shown: Layout | undefined;

  constructor() {
    library.viewpoint = () => (this.scroller.y > 0 ? this.place : undefined);
  }

  /** Whether the newest images are in view. */
  get atTop(): boolean {
    return this.scroller.y < AT_TOP;
  }

  /** The day at the top of the view. */
  get day(): string | undefined {
    return library.view.sections[library.layout.sectionAt(this.scroller.y + 60)]?.day;
  }

  /** The image at the top of the view, and how much of its row is above it. */
  private get place(): Place {
    return placeAt(library.layout, this.scroller.y);
  }

  /** A new layout keeps the top of the view in place; a new view starts at its landing place. */
  settle(layout: Layout): void {
    const before = this.shown;
    if (layout === before) return;
    const landing = library.takeLanding();
    const place = landing ?? (before?.rowCount && this.scroller.y > 0 ? placeAt(before, this.scroller.y) : 'top');
    this.shown = layout;
    this.scroller.setTotal(layout.height + BELOW * 2);
    if (place === 'top') this.scroller.to(0);
    else if (place === 'focus') this.reveal(library.focused, true);
    else this.scroller.to(layout.rowTop(layout.rowOf(place.index)) + place.fraction * layout.rowHeight(layout.rowOf(place.index)));
  }

  /** The list is drawn again, as after another page: it keeps its position and gets the focus. */
  resume(): void {
    this.scroller.to(this.scroller.y);
    if (!(document.activeElement instanceof HTMLInputElement)) this.take();
  }

  /** Scrolls an image into view, centered if it is far away or `middle` is set. */
  reveal(index: number, middle = false): void {
    const { layout } = library;
    const row = layout.rowOf(index);
    const top = layout.rowTop(row);
    const height = layout.rowHeight(row);
    const { y, height: view } = this.scroller;
    if (!middle && top >= y + INSIDE && top + height <= y + view - INSIDE) return;
    if (middle || Math.abs(top - y) > view * 2) this.scroller.to(top - (view - height) / 2);
    else this.scroller.to(top < y + INSIDE ? top - ABOVE : top + height - view + BELOW);
  }

  focus(index: number): void {
    const last = library.view.total - 1;
    if (last < 0) return;
    library.focused = Math.max(0, Math.min(last, index));
    this.reveal(library.focused);
    this.take();
  }

  /** Focuses the tile once it is drawn. */
  take(): void {
    requestAnimationFrame(() => {
      // The user may have started typing meanwhile.
      if (document.activeElement instanceof HTMLInputElement && document.activeElement.type !== 'range') return;
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
    const wanted = layout.rowAt(layout.rowTop(row) + direction * this.scroller.height * 0.9);
    this.focus(layout.rowFirst(wanted));
  }

  /** To the first image of the day or month before or after; of the section if it has no day. */
  section(direction: 1 | -1, by: 'day' | 'month'): void {
    const { sections } = library.view;
    const length = by === 'day' ? 10 : 7;
    const nameOf = (at: number): string | undefined => {
      const section = sections[at];
      return section && (section.day.slice(0, length) || String(section.start));
    };
    let there = sections.findLastIndex((section) => section.start <= library.focused);
    const from = nameOf(there);
    while (there >= 0 && nameOf(there) === from) there += direction;
    const reached = nameOf(there);
    const first = reached && sections.find((_, at) => nameOf(at) === reached);
    if (first) this.focus(first.start);
  }

  /** To the first image of a day, month or year, or the nearest after it in the list. */
  toDate(date: string): boolean {
    const found = sectionOfDate(library.view.sections, date);
    if (!found) return false;
    this.focus(found.start);
    return true;
  }
}

function placeAt(layout: Layout, y: number): Place {
  const row = layout.rowAt(y);
  return { index: layout.rowFirst(row), fraction: (y - layout.rowTop(row)) / (layout.rowHeight(row) || 1) };
}

export const grid = new Grid();
