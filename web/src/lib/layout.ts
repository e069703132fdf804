/** Justified rows for any number of images. Lengths in CSS pixels, positions from the top of the list. */

export const GAP = 4;
export const HEADING = 44;
const MAX_STRETCH = 1.4;

export interface Section {
  day: string;
  start: number;
  count: number;
}

export interface Tile {
  index: number;
  row: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Rows of all sections, in flat arrays: a million images take some tens of milliseconds. */
export class Layout {
  readonly rowFirst: Uint32Array;
  readonly rowTop: Float64Array;
  readonly rowHeight: Float32Array;
  readonly rowCount: number;
  readonly sectionTop: Float64Array;
  readonly height: number;

  constructor(
    readonly ratios: Uint16Array,
    readonly sections: readonly Section[],
    readonly width: number,
    readonly targetHeight: number,
  ) {
    const most = ratios.length + 1;
    const first = new Uint32Array(most + 1);
    const top = new Float64Array(most + 1);
    const heights = new Float32Array(most);
    this.sectionTop = new Float64Array(sections.length + 1);
    let rows = 0;
    let y = 0;
    sections.forEach((section, number) => {
      this.sectionTop[number] = y;
      y += HEADING;
      const end = section.start + section.count;
      let from = section.start;
      let sum = 0;
      for (let index = section.start; index < end; index++) {
        sum += ratio(ratios, index);
        const gaps = (index - from) * GAP;
        const height = (width - gaps) / sum;
        const last = index === end - 1;
        if (height > targetHeight && !last) continue;
        const kept = last ? Math.min(height, targetHeight * (height > targetHeight * MAX_STRETCH ? 1 : MAX_STRETCH)) : height;
        first[rows] = from;
        top[rows] = y;
        heights[rows] = kept;
        rows++;
        y += kept + GAP;
        from = index + 1;
        sum = 0;
      }
    });
    first[rows] = ratios.length;
    this.sectionTop[sections.length] = y;
    this.rowCount = rows;
    this.rowFirst = first.slice(0, rows + 1);
    this.rowTop = top.slice(0, rows);
    this.rowHeight = heights.slice(0, rows);
    this.height = y;
  }

  /** The row at a position; the nearest one where there is none. */
  rowAt(y: number): number {
    return Math.max(0, Math.min(this.rowCount - 1, lastNotAfter(this.rowTop, y)));
  }

  rowOf(index: number): number {
    return Math.max(0, Math.min(this.rowCount - 1, lastNotAfter(this.rowFirst, index)));
  }

  sectionAt(y: number): number {
    return Math.max(0, Math.min(this.sections.length - 1, lastNotAfter(this.sectionTop, y)));
  }

  tilesOf(row: number): Tile[] {
    const tiles: Tile[] = [];
    const height = this.rowHeight[row] ?? 0;
    const y = this.rowTop[row] ?? 0;
    let x = 0;
    for (let index = this.rowFirst[row] ?? 0; index < (this.rowFirst[row + 1] ?? 0); index++) {
      const width = height * ratio(this.ratios, index);
      tiles.push({ index, row, x, y, width, height });
      x += width + GAP;
    }
    return tiles;
  }

  tile(index: number): Tile | undefined {
    return this.tilesOf(this.rowOf(index)).find((tile) => tile.index === index);
  }

  /** The image above or below one, under its middle. */
  vertical(index: number, rows: number): number {
    const from = this.tile(index);
    if (!from) return index;
    const row = Math.max(0, Math.min(this.rowCount - 1, from.row + rows));
    if (row === from.row) return index;
    const middle = from.x + from.width / 2;
    const tiles = this.tilesOf(row);
    return (tiles.find((tile) => tile.x + tile.width >= middle) ?? tiles.at(-1))?.index ?? index;
  }
}

function ratio(ratios: Uint16Array, index: number): number {
  return Math.min(4, Math.max(0.25, (ratios[index] ?? 1000) / 1000));
}

/** The last place whose value is at most `wanted`; -1 when there is none. */
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
