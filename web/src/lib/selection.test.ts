import { expect, test } from 'vitest';

import { Selection } from './selection';

test('a million images lose one when one is left out, and get it back', () => {
  const all = new Selection().withRange(0, 999_999);
  expect(all.count).toBe(1_000_000);
  const less = all.toggle(5);
  expect([less.count, less.has(5), less.has(6)]).toEqual([999_999, false, true]);
  expect(less.ranges).toHaveLength(1);
  expect(less.toggle(5).has(5)).toBe(true);
});

test('a range includes both ends, in either order', () => {
  const range = new Selection().withRange(7, 3);
  expect(range.count).toBe(5);
  expect([2, 3, 7, 8].map((index) => range.has(index))).toEqual([false, true, true, false]);
});

test('ranges that touch are one', () => {
  const joined = new Selection().withRange(0, 2).withRange(5, 6).withRange(3, 4);
  expect(joined.ranges).toEqual([[0, 7]]);
});

test('choosing a range again takes in what had been left out of it', () => {
  const again = new Selection().withRange(0, 9).toggle(4).toggle(8).withRange(3, 5);
  expect([again.has(4), again.has(8), again.count]).toEqual([true, false, 9]);
});

test('a single one that is toggled twice leaves nothing behind', () => {
  const none = new Selection().toggle(3).toggle(3);
  expect([none.count, none.ranges.length, none.excluded.size]).toEqual([0, 0, 0]);
});

test('among thousands of single ones each is found', () => {
  let selected = new Selection();
  for (let index = 0; index < 2_000; index += 2) selected = selected.toggle(index);
  expect([0, 1, 998, 999, 1_998, 1_999].map((index) => selected.has(index))).toEqual([true, false, true, false, true, false]);
});

test('what is left closes up: who was at an image is at the next one that stays', () => {
  const gone = new Selection().withRange(3, 6).withRange(8, 8).toggle(5);
  expect([0, 3, 5, 7, 9].map((index) => gone.nextOutside(index, 12))).toEqual([0, 5, 5, 7, 9]);
  expect([0, 3, 5, 7, 9].map((index) => index - gone.countBefore(index))).toEqual([0, 3, 3, 4, 5]);
  expect(new Selection().withRange(4, 11).nextOutside(6, 12)).toBe(12);
});

test('a choice of very many is cut into pieces that are the whole of it', () => {
  const selected = new Selection().withRange(0, 24).withRange(40, 44).toggle(3).toggle(21);
  const pieces = selected.pieces(10);
  expect(pieces.map((piece) => piece.count)).toEqual([9, 10, 9]);
  expect(pieces.reduce((sum, piece) => sum + piece.count, 0)).toBe(selected.count);
  expect(pieces.some((piece) => piece.has(3) || piece.has(21))).toBe(false);
});
