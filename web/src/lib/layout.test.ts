import { expect, test } from 'vitest';

import { Layout, type Section } from './layout';
import { Selection } from './selection';

function made(count: number, width = 1000): Layout {
  const ratios = Uint16Array.from({ length: count }, (_, index) => 600 + ((index * 377) % 1200));
  const half = Math.floor(count / 2);
  const sections: Section[] = [
    { day: '2026-08-22', start: 0, count: half },
    { day: '2026-08-21', start: half, count: count - half },
  ];
  return new Layout(ratios, sections, width, 200);
}

test('every image is in exactly one row, in order', () => {
  const layout = made(500);
  const seen: number[] = [];
  for (let row = 0; row < layout.rowCount; row++) seen.push(...layout.tilesOf(row).map((tile) => tile.index));
  expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
});

test('a full row is exactly as wide as the list', () => {
  const layout = made(500);
  const last = layout.tilesOf(0).at(-1);
  expect((last?.x ?? 0) + (last?.width ?? 0)).toBeCloseTo(1000, 1);
});

test('rows follow each other without overlap', () => {
  const layout = made(300);
  for (let row = 1; row < layout.rowCount; row++) {
    expect(layout.rowTop(row)).toBeGreaterThanOrEqual(layout.rowTop(row - 1) + layout.rowHeight(row - 1));
  }
});

test('down lands under the focused image', () => {
  const layout = made(300);
  const below = layout.tile(layout.vertical(2, 1));
  const from = layout.tile(2);
  expect(below?.row).toBe((from?.row ?? 0) + 1);
  expect(Math.abs((below?.x ?? 0) - (from?.x ?? 0))).toBeLessThan(400);
});

test('a million images lose one when one is left out', () => {
  const all = new Selection().withRange(0, 999_999);
  expect(all.count).toBe(1_000_000);
  const less = all.toggled(5);
  expect(less.count).toBe(999_999);
  expect(less.has(5)).toBe(false);
  expect(less.toggled(5).has(5)).toBe(true);
});

test('a range includes both ends, in either order', () => {
  expect(new Selection().withRange(7, 3).count).toBe(5);
});
