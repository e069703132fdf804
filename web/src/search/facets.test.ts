import { expect, test } from 'vitest';

import { listed, nameOf, shownAs } from './facets';

const some = [{ value: 'x', count: 1, text: 'tag:x' }];

test('lists come in their own order, and empty ones not at all unless they are filtered by', () => {
  expect(listed({ zoo: some, date: some, tag: some, vae: [], lora: [], model: some }, ['lora'])).toEqual(['model', 'lora', 'tag', 'date', 'zoo']);
});

test('values are shown as a person says them', () => {
  expect(nameOf('zoo')).toBe('zoo');
  expect(shownAs('date', '2026-08')).toBe('Aug 2026');
  expect([shownAs('rating', '0'), shownAs('rating', '3')]).toEqual(['Not rated', '★★★']);
  expect(shownAs('size', '832x1216')).toBe('832 × 1216');
  expect(shownAs('tag', 'sea')).toBe('sea');
});
