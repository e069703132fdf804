import { expect, test } from 'vitest';

import type { Detail } from '../../api/client';
import { markDifferences, rows } from './differences';

function detail(set: Partial<Detail>): Detail {
  const none = { prompt: null, negative_prompt: null, notes: null, seed: null, steps: null, cfg_scale: null, guidance: null, sampler: null, scheduler: null, denoise: null };
  const rest = { clip_skip: null, width: null, height: null, model: null, model_hash: null, vae: null, loras: [], tool: null, tool_version: null, params: {}, problems: [] };
  const more = { id: 1, path: null, timestamp_source: 'file', imported_at: 0, tags: [], collections: [], models: [], generation_time_ms: null, parent: null, is_grid: false, missing: false };
  return { uuid: 'u', timestamp: 0, ...none, ...rest, ...more, deleted: false, is_favorite: false, rating: 0, thumb: null, damage: null, too_large: null, orientation: 1, explicit: null, files: [], parameters_text: '', ...set };
}

test('a row is of what any of them says, and differs where they say different things', () => {
  const found = rows([
    detail({ steps: 20, seed: '1', sampler: 'Euler a', params: { hires: 2 } }),
    detail({ steps: 20, seed: '2', params: { hires: 2, eta: 0.1 } }),
  ]);
  expect(found.map(({ name, values, differs }) => [name, values, differs])).toEqual([
    ['Seed', ['1', '2'], true],
    ['Steps', ['20', '20'], false],
    ['Sampler', ['Euler a', ''], true],
    ['eta', ['', '0.1'], true],
    ['hires', ['2', '2'], false],
  ]);
});

test('the words that not all have are marked, the others are not', () => {
  const [one, other] = markDifferences(['a red fox in snow, night', 'a white fox in deep snow, night']);
  expect(one).toEqual([{ text: 'a ', differs: false }, { text: 'red', differs: true }, { text: ' fox in snow, night', differs: false }]);
  expect(other?.filter(({ differs }) => differs).map(({ text }) => text)).toEqual(['white', 'deep']);
});

test('of three texts a word must be in all', () => {
  const found = markDifferences(['fox, snow', 'fox, rain', 'fox, snow']);
  expect(found.map((text) => text.filter(({ differs }) => differs).map(({ text }) => text))).toEqual([['snow'], ['rain'], ['snow']]);
});

test.each([
  ['', 'a b'],
  ['  a ,b', '(b:1.2), a'],
  ['same words', 'same words'],
])('no character is lost: %s | %s', (one, other) => {
  expect(markDifferences([one, other]).map((text) => text.map(({ text }) => text).join(''))).toEqual([one, other]);
});

test('very long texts end in time', () => {
  const long = Array.from({ length: 40_000 }, (_, at) => `w${at % 97}`).join(' ');
  const other = Array.from({ length: 40_000 }, (_, at) => `w${at % 89}`).join(' ');
  const began = performance.now();
  expect(markDifferences([long, other])).toHaveLength(2);
  expect(performance.now() - began).toBeLessThan(2_000);
});
