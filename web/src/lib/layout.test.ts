import { expect, test } from 'vitest';

import { HEADING, lastNotAfter, Layout, type Section } from './layout';

function ratiosOf(count: number): Uint16Array {
  return Uint16Array.from({ length: count }, (_, index) => 600 + ((index * 377) % 1200));
}

/** Sections with these numbers of images, a day apart. */
function days(...counts: number[]): Section[] {
  let start = 0;
  return counts.map((count, number) => {
    const section = { day: `2026-08-${String(28 - number).padStart(2, '0')}`, start, count };
    start += count;
    return section;
  });
}

function made(count: number, width = 1000): Layout {
  const half = Math.floor(count / 2);
  return new Layout(ratiosOf(count), days(half, count - half), width, 200);
}

test('every image is in exactly one row, in order', () => {
  const layout = made(500);
  const seen: number[] = [];
  for (let row = 0; row < layout.rowCount; row++) seen.push(...layout.tilesOf(row).map((tile) => tile.index));
  expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
});

test('a full row is exactly as wide as the list', () => {
  const last = made(500).tilesOf(0).at(-1);
  expect((last?.x ?? 0) + (last?.width ?? 0)).toBeCloseTo(1000, 1);
});

test('rows follow each other without overlap', () => {
  const layout = made(300);
  for (let row = 1; row < layout.rowCount; row++) {
    expect(layout.rowTop(row)).toBeGreaterThanOrEqual(layout.rowTop(row - 1) + layout.rowHeight(row - 1));
  }
});

test('positions, rows and images lead to each other', () => {
  const layout = made(300);
  for (let row = 0; row < layout.rowCount; row++) {
    expect(layout.rowAt(layout.rowTop(row) + 1)).toBe(row);
    expect(layout.rowOf(layout.rowFirst(row))).toBe(row);
    expect(layout.rowOf(layout.rowFirst(row + 1) - 1)).toBe(row);
  }
  expect(layout.rowFirst(layout.rowCount)).toBe(300);
});

test('outside of the list the nearest row is meant', () => {
  const layout = made(40);
  expect(layout.rowAt(-500)).toBe(0);
  expect(layout.rowAt(1e9)).toBe(layout.rowCount - 1);
});

test('down lands under the focused image, and at the foot nowhere', () => {
  const layout = made(300);
  const below = layout.tile(layout.vertical(2, 1));
  const from = layout.tile(2);
  expect(below?.row).toBe((from?.row ?? 0) + 1);
  const middle = (from?.x ?? 0) + (from?.width ?? 0) / 2;
  expect(below?.x).toBeLessThanOrEqual(middle);
  expect(layout.vertical(299, 1)).toBe(299);
});

test('no images have no rows', () => {
  const layout = new Layout(new Uint16Array(), [], 1000, 200);
  expect([layout.rowCount, layout.height, layout.rowAt(10), layout.rowOf(0)]).toEqual([0, 0, 0, 0]);
});

test('a section that is no day has no heading', () => {
  const plain = new Layout(ratiosOf(20), [{ day: '', start: 0, count: 20 }], 1000, 200);
  const day = new Layout(ratiosOf(20), days(20), 1000, 200);
  expect(plain.rowTop(0)).toBe(0);
  expect(day.rowTop(0)).toBe(HEADING);
  expect(day.height - plain.height).toBe(HEADING);
});

test('a new image lays out its own day and no other', () => {
  const before = new Layout(ratiosOf(60), days(20, 20, 20), 1000, 200);
  const later = Uint16Array.from([900, ...before.ratios]);
  const sections = days(21, 20, 20);
  const reused: (number | undefined)[] = [];
  const watched = Object.create(before, {
    rowsLike: {
      value: (number: number, section: Section, ratios: Uint16Array) => {
        const rows = before.rowsLike(number, section, ratios);
        reused.push(rows ? number : undefined);
        return rows;
      },
    },
  }) as Layout;
  const after = new Layout(later, sections, 1000, 200, watched);
  expect(reused).toEqual([undefined, 1, 2]);
  const anew = new Layout(later, sections, 1000, 200);
  for (let row = 0; row < anew.rowCount; row++) expect(after.tilesOf(row)).toEqual(anew.tilesOf(row));
});

test('a day whose images were exchanged is laid out anew', () => {
  const before = new Layout(ratiosOf(40), days(20, 20), 1000, 200);
  const other = before.ratios.slice();
  other[25] = 3_000;
  const after = new Layout(other, before.sections, 1000, 200, before);
  const anew = new Layout(other, before.sections, 1000, 200);
  for (let row = 0; row < anew.rowCount; row++) expect(after.tilesOf(row)).toEqual(anew.tilesOf(row));
});

test('absurd proportions are shown within bounds', () => {
  const layout = new Layout(Uint16Array.of(1, 65_535, 1_000), days(3), 1000, 200);
  const widths = [0, 1].map((index) => layout.tile(index)).map((tile) => (tile?.width ?? 0) / (tile?.height ?? 1));
  expect(widths[0]).toBeCloseTo(0.25, 5);
  expect(widths[1]).toBeCloseTo(4, 5);
});

test('the last place that is not after', () => {
  expect([-1, 0, 5, 6, 99].map((wanted) => lastNotAfter([0, 5, 10], wanted))).toEqual([-1, 0, 1, 1, 2]);
});
