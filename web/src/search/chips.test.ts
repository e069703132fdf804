import { expect, test } from 'vitest';

import type { Chip, Snapshot } from '../api/client';
import { exclusionOf, quoted, withoutChip, withoutWord } from './chips';

const chip = (text: string): Chip => {
  const plain = text.replace(/^-/, '');
  const [field = '', value = ''] = plain.includes(':') ? plain.split(':') : ['text', plain];
  return { text, field, value, negated: text.startsWith('-') };
};
const storm = chip('storm');
const model = chip('model:flux1-dev');
const rating = chip('-rating:5');
const view: Snapshot = { snapshot: 's', q: '', total: 0, sections: [], filters: [model, rating], words: [storm, chip('"over the sea"')] };

test('a chip that is taken away leaves the others', () => {
  expect(withoutChip(view, model)).toBe('storm "over the sea" -rating:5');
  expect(withoutWord(view, storm)).toBe('"over the sea" model:flux1-dev -rating:5');
});

test('a chip turns into its opposite and back', () => {
  expect(exclusionOf(view, model)).toBe('storm "over the sea" -model:flux1-dev -rating:5');
  expect(exclusionOf(view, rating)).toBe('storm "over the sea" model:flux1-dev rating:5');
});

test('a value with spaces is quoted, and cannot end its quotes', () => {
  expect(quoted('flux1-dev')).toBe('flux1-dev');
  expect(quoted('dpm++ 2m')).toBe('"dpm++ 2m"');
  expect(quoted('say "x" y')).toBe('"say x y"');
});
