import { expect, test } from 'vitest';

import { licenses } from './licenses';

test('every part that MystiCanvas contains is listed with the text of its license', () => {
  expect(licenses.map(({ name }) => name)).toEqual(expect.arrayContaining(['Svelte', 'Lucide', 'all-MiniLM-L6-v2', 'WordNet 3.0']));
  expect(licenses.filter(({ text }) => text.length < 500)).toEqual([]);
  expect(licenses.find(({ name }) => name === 'Svelte')?.text).toContain('Svelte Contributors');
});
