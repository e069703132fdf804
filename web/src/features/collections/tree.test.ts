import { expect, test } from 'vitest';

import type { Collection } from '../../api/collections';
import { placeBeside, isIn, placeByKey, pathOf, rowsOf } from './tree';

const made = (uuid: string, parent: string | null, position: number): Collection => ({
  id: position, uuid, name: uuid.toUpperCase(), kind: 'manual', query: null, parent, cover: null, thumb: null, notes: null, position, images: 0, text: '',
});
const list = [made('c', null, 3), made('a', null, 1), made('b', null, 2), made('a2', 'a', 2), made('a1', 'a', 1), made('lost', 'gone', 9)];
const place = (uuid: string, to: ReturnType<typeof placeByKey>): string[] => {
  const after = list.map((one) => (one.uuid === uuid && to ? { ...one, ...to } : one));
  return rowsOf(after, new Set()).map((row) => '.'.repeat(row.level - 1) + row.one.uuid);
};
const one = (uuid: string): Collection => list.find((other) => other.uuid === uuid) ?? made('', null, 0);

test('rows are in order, and what a closed one holds is not shown', () => {
  expect(place('', undefined)).toEqual(['a', '.a1', '.a2', 'b', 'c', 'lost']);
  expect(rowsOf(list, new Set(['a'])).map((row) => [row.one.uuid, row.parent, row.open, row.place, row.siblings])).toEqual([
    ['a', true, false, 1, 4], ['b', false, false, 2, 4], ['c', false, false, 3, 4], ['lost', false, false, 4, 4],
  ]);
});

test('keys move one past its sibling, into the one above it, and out again', () => {
  expect(place('b', placeByKey(list, one('b'), 'up'))).toEqual(['b', 'a', '.a1', '.a2', 'c', 'lost']);
  expect(place('b', placeByKey(list, one('b'), 'down'))).toEqual(['a', '.a1', '.a2', 'c', 'b', 'lost']);
  expect(place('b', placeByKey(list, one('b'), 'in'))).toEqual(['a', '.a1', '.a2', '.b', 'c', 'lost']);
  expect(place('a2', placeByKey(list, one('a2'), 'out'))).toEqual(['a', '.a1', 'a2', 'b', 'c', 'lost']);
  expect([placeByKey(list, one('a'), 'up'), placeByKey(list, one('a'), 'in'), placeByKey(list, one('a'), 'out')]).toEqual([undefined, undefined, undefined]);
});

test('one that is dropped goes beside or into another, never into itself', () => {
  expect(place('c', placeBeside(list, 'c', one('a2'), 'before'))).toEqual(['a', '.a1', '.c', '.a2', 'b', 'lost']);
  expect(place('c', placeBeside(list, 'c', one('b'), 'inside'))).toEqual(['a', '.a1', '.a2', 'b', '.c', 'lost']);
  expect(placeBeside(list, 'a', one('a1'), 'inside')).toBeUndefined();
  expect(placeBeside(list, 'a', one('a'), 'after')).toBeUndefined();
  expect([isIn(list, 'a1', 'a'), isIn(list, 'a', 'a1')]).toEqual([true, false]);
  expect(pathOf(list, 'a1')).toEqual(['A', 'A1']);
});
