/** Justified rows for any number of images, section by section. Lengths in CSS pixels. */

import type { components } from '../generated/api';

export const GAP = 4;
export const HEADING = 44;
const MAX_STRETCH = 1.4;
const NARROWEST = 0.25;
const WIDEST = 4;

/** `day` is empty if the images are not sorted by date: such a section has no heading. */
export type Section = components['schemas']['Section'];

export interface Tile {
  index: number;
  row: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The rows of one section, relative to its first image and to its first row's top. */
class SectionRows {
  constructor(
    readonly first: Uint32Array,
    readonly top: Float32Array,
    readonly rowHeight: Float32Array,
    readonly height: number,
  ) {}

  get count(): number {
    return this.top.length;
  }
}

/**
 * The position of every image. Unchanged sections are reused from `before`: a new image only lays out
 * its own day.
 */
export class Layout {
  readonly sectionTop: Float64Array;
  readonly rowCount: number;
  readonly height: number;
  private readonly rows: SectionRows[];
  private readonly firstRow: Uint32Array;
  private readonly starts: Uint32Array;

  constructor(
    readonly ratios: Uint16Array,
    readonly sections: readonly Section[],
    readonly width: number,
    readonly targetHeight: number,
    before?: Layout,
  ) {
    const known = new Known(width === before?.width && targetHeight === before.targetHeight ? before : undefined);
    this.rows = [];
    this.sectionTop = new Float64Array(sections.length + 1);
    this.firstRow = new Uint32Array(sections.length + 1);
    this.starts = Uint32Array.from(sections, (section) => section.start);
    let top = 0;
    let row = 0;
    sections.forEach((section, number) => {
      const rows = known.find(section, ratios) ?? laidOut(ratios, section, width, targetHeight);
      this.rows.push(rows);
      this.sectionTop[number] = top;
      this.firstRow[number] = row;
      top += headingOf(section) + rows.height;
      row += rows.count;
    });
    this.sectionTop[sections.length] = this.height = top;
    this.firstRow[sections.length] = this.rowCount = row;
  }

  /** The row at a position, or the nearest one. */
  rowAt(y: number): number {
    const section = this.sectionAt(y);
    const rows = this.rows[section];
    if (!rows) return 0;
    const within = lastNotAfter(rows.top, y - this.rowsTop(section));
    return (this.firstRow[section] ?? 0) + clamp(within, rows.count);
  }

  rowOf(index: number): number {
    const section = clamp(lastNotAfter(this.starts, index), this.sections.length);
    const rows = this.rows[section];
    if (!rows) return 0;
    return (this.firstRow[section] ?? 0) + clamp(lastNotAfter(rows.first, index - (this.starts[section] ?? 0)), rows.count);
  }

  sectionAt(y: number): number {
    return clamp(lastNotAfter(this.sectionTop, y), this.sections.length);
  }

  rowTop(row: number): number {
    const section = this.sectionOf(row);
    return this.rowsTop(section) + (this.rows[section]?.top[row - (this.firstRow[section] ?? 0)] ?? 0);
  }

  rowHeight(row: number): number {
    const section = this.sectionOf(row);
    return this.rows[section]?.rowHeight[row - (this.firstRow[section] ?? 0)] ?? 0;
  }

  /** The first image of a row; of the row after the last one, the number of images. */
  rowFirst(row: number): number {
    const section = this.sectionOf(row);
    const within = this.rows[section]?.first[row - (this.firstRow[section] ?? 0)];
    return within === undefined ? this.ratios.length : (this.starts[section] ?? 0) + within;
  }

  tilesOf(row: number): Tile[] {
    const tiles: Tile[] = [];
    const height = this.rowHeight(row);
    const y = this.rowTop(row);
    const end = this.rowFirst(row + 1);
    let x = 0;
    for (let index = this.rowFirst(row); index < end; index++) {
      const width = height * ratio(this.ratios, index);
      tiles.push({ index, row, x, y, width, height });
      x += width + GAP;
    }
    return tiles;
  }

  tile(index: number): Tile | undefined {
    return this.tilesOf(this.rowOf(index)).find((tile) => tile.index === index);
  }

  /** The image above or below another, under its middle. */
  vertical(index: number, rows: number): number {
    const from = this.tile(index);
    if (!from) return index;
    const row = clamp(from.row + rows, this.rowCount);
    if (row === from.row) return index;
    const middle = from.x + from.width / 2;
    const tiles = this.tilesOf(row);
    return (tiles.find((tile) => tile.x + tile.width >= middle) ?? tiles.at(-1))?.index ?? index;
  }

  /** The rows of a section from the old layout, if nothing in it has changed. */
  rowsLike(number: number, section: Section, ratios: Uint16Array): SectionRows | undefined {
    const old = this.sections[number];
    if (old?.count !== section.count) return undefined;
    for (let at = 0; at < section.count; at++) {
      if (ratios[section.start + at] !== this.ratios[old.start + at]) return undefined;
    }
    return this.rows[number];
  }

  private rowsTop(section: number): number {
    const found = this.sections[section];
    return (this.sectionTop[section] ?? 0) + (found ? headingOf(found) : 0);
  }

  private sectionOf(row: number): number {
    return clamp(lastNotAfter(this.firstRow, row), this.sections.length);
  }
}

/** The sections of the old layout, by day; those without a day by their first image. */
class Known {
  private readonly numbers = new Map<string | number, number>();

  constructor(private readonly layout: Layout | undefined) {
    layout?.sections.forEach((section, number) => this.numbers.set(section.day || section.start, number));
  }

  find(section: Section, ratios: Uint16Array): SectionRows | undefined {
    const number = this.numbers.get(section.day || section.start);
    return number === undefined ? undefined : this.layout?.rowsLike(number, section, ratios);
  }
}

let scratch = { first: new Uint32Array(0), top: new Float32Array(0), height: new Float32Array(0) };

function laidOut(ratios: Uint16Array, section: Section, width: number, targetHeight: number): SectionRows {
  const { start, count } = section;
  if (scratch.top.length < count) {
    scratch = { first: new Uint32Array(count + 1), top: new Float32Array(count), height: new Float32Array(count) };
  }
  const { first, top, height: heights } = scratch;
  let rows = 0;
  let y = 0;
  let from = 0;
  let sum = 0;
  for (let at = 0; at < count; at++) {
    sum += ratio(ratios, start + at);
    const height = (width - (at - from) * GAP) / sum;
    const last = at === count - 1;
    if (height > targetHeight && !last) continue;
    const kept = last ? Math.min(height, targetHeight * (height > targetHeight * MAX_STRETCH ? 1 : MAX_STRETCH)) : height;
    first[rows] = from;
    top[rows] = y;
    heights[rows] = kept;
    rows++;
    y += kept + GAP;
    from = at + 1;
    sum = 0;
  }
  return new SectionRows(first.slice(0, rows), top.slice(0, rows), heights.slice(0, rows), y);
}

function headingOf(section: Section): number {
  return section.day ? HEADING : 0;
}

function ratio(ratios: Uint16Array, index: number): number {
  const found = (ratios[index] ?? 1000) / 1000;
  return found < NARROWEST ? NARROWEST : found > WIDEST ? WIDEST : found;
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, value));
}

/** The last position whose value is at most `wanted`; -1 if there is none. */
export function lastNotAfter(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Infinity) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
