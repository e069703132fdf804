import { expect, test } from 'vitest';

import { Selection } from './selection';

test('a million images lose one when one is left out, and get it back', () => {
  const all = new Selection().withRange(0, 999_999);
  expect(all.count).toBe(1_000_000);
  const less = all.toggled(5);
  expect([less.count, less.has(5), less.has(6)]).toEqual([999_999, false, true]);
  expect(less.ranges).toHaveLength(1);
  expect(less.toggled(5).has(5)).toBe(true);
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
  const again = new Selection().withRange(0, 9).toggled(4).toggled(8).withRange(3, 5);
  expect([again.has(4), again.has(8), again.count]).toEqual([true, false, 9]);
});

test('a single one that is toggled twice leaves nothing behind', () => {
  const none = new Selection().toggled(3).toggled(3);
  expect([none.count, none.ranges.length, none.leftOut.size]).toEqual([0, 0, 0]);
});

test('among thousands of single ones each is found', () => {
  let chosen = new Selection();
  for (let index = 0; index < 2_000; index += 2) chosen = chosen.toggled(index);
  expect([0, 1, 998, 999, 1_998, 1_999].map((index) => chosen.has(index))).toEqual([true, false, true, false, true, false]);
});
