/** The selected images among any number: sorted ranges and exceptions. Never a list of all. */

export type Range = [from: number, end: number];

export class Selection {
  static of(index: number): Selection {
    return new Selection([[index, index + 1]]);
  }

  constructor(
    readonly ranges: readonly Range[] = [],
    readonly excluded: ReadonlySet<number> = new Set(),
  ) {}

  get count(): number {
    return this.ranges.reduce((sum, [from, end]) => sum + end - from, 0) - this.excluded.size;
  }

  has(index: number): boolean {
    if (this.excluded.has(index)) return false;
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ranges[middle]?.[0] ?? Infinity) <= index) low = middle + 1;
      else high = middle;
    }
    return index < (this.ranges[low - 1]?.[1] ?? -1);
  }

  /** The number of selected images before this one. */
  countBefore(index: number): number {
    const within = this.ranges.reduce((sum, [from, end]) => sum + Math.max(0, Math.min(end, index) - from), 0);
    return within - [...this.excluded].filter((one) => one < index).length;
  }

  /** The image itself if it is not selected, else the next one that is not, `total` if there is none. */
  nextOutside(index: number, total: number): number {
    while (index < total && this.has(index)) {
      const range = this.ranges.find(([from, end]) => from <= index && index < end);
      const free = [...this.excluded].filter((one) => one > index && one < (range?.[1] ?? 0));
      index = free.length ? Math.min(...free) : (range?.[1] ?? total);
    }
    return Math.min(index, total);
  }

  /** The selection in pieces of at most this number of images. */
  pieces(size: number): Selection[] {
    const found: Selection[] = [];
    let ranges: Range[] = [];
    let room = size;
    for (const [from, end] of this.ranges) {
      for (let at = from; at < end; ) {
        const next = Math.min(end, at + room);
        ranges.push([at, next]);
        room -= next - at;
        at = next;
        if (room > 0) continue;
        found.push(this.within(ranges));
        [ranges, room] = [[], size];
      }
    }
    if (ranges.length) found.push(this.within(ranges));
    return found.filter((piece) => piece.count);
  }

  private within(ranges: Range[]): Selection {
    const all = new Selection(ranges);
    return new Selection(ranges, new Set([...this.excluded].filter((one) => all.has(one))));
  }

  /** Both ends included, in either order. */
  withRange(one: number, other: number): Selection {
    const from = Math.min(one, other);
    const end = Math.max(one, other) + 1;
    const left = new Set([...this.excluded].filter((index) => index < from || index >= end));
    return new Selection(mergeRanges([...this.ranges, [from, end]]), left);
  }

  toggle(index: number): Selection {
    if (!this.has(index)) return this.withRange(index, index);
    const alone = this.ranges.find(([from, end]) => from === index && end === index + 1);
    if (alone) return new Selection(this.ranges.filter((range) => range !== alone), this.excluded);
    return new Selection(this.ranges, new Set([...this.excluded, index]));
  }
}

function mergeRanges(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const [from, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1]) result[result.length - 1] = [last[0], Math.max(last[1], end)];
    else result.push([from, end]);
  }
  return result;
}
