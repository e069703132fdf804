import { expect, test } from 'vitest';

import { characterAt, pieces, unitAt } from './characters';

test('places are counted in characters, also behind those of two units', () => {
  expect(unitAt('a😀b', 2)).toBe(3);
  expect(characterAt('a😀b', 3)).toBe(2);
  expect(unitAt('ab', 9)).toBe(2);
});

test('a text is cut where words were found and nothing of it is lost', () => {
  const cut = pieces('😀 fox in snow', [
    [2, 5],
    [9, 13],
  ]);
  expect(cut).toEqual([
    { text: '😀 ', found: false },
    { text: 'fox', found: true },
    { text: ' in ', found: false },
    { text: 'snow', found: true },
  ]);
  expect(pieces('fox', [])).toEqual([{ text: 'fox', found: false }]);
  expect(pieces('fox', [[0, 99]])).toEqual([{ text: 'fox', found: true }]);
});
