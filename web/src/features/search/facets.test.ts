import { expect, test } from 'vitest';

import { orderFields, nameOf, labelOf } from './facets';

const some = [{ value: 'x', count: 1, text: 'tag:x' }];

test('lists come in their own order, and empty ones not at all unless they are filtered by', () => {
  expect(orderFields({ zoo: some, date: some, tag: some, vae: [], lora: [], model: some }, ['lora'])).toEqual(['model', 'lora', 'tag', 'date', 'zoo']);
});

test('values are shown as a person says them', () => {
  expect(nameOf('zoo')).toBe('zoo');
  expect(labelOf('date', '2026-08')).toBe('Aug 2026');
  expect([labelOf('rating', '0'), labelOf('rating', '3')]).toEqual(['Unrated', '★★★']);
  expect(labelOf('size', '832x1216')).toBe('832 × 1216');
  expect(labelOf('tag', 'sea')).toBe('sea');
});
