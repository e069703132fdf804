import { expect, test } from 'vitest';

import type { ListedModel } from '../../api/models';
import { kindsOf, filterModels, queryFor } from './modelList';

function model(name: string, images: number, more: Partial<ListedModel> = {}): ListedModel {
  const plain = { family: null, trigger_words: [], title: null, path: null, bytes: null, problem: null, doubtful: 0 };
  return { ...plain, id: images, kind: 'lora', name, images, missing: false, hashed: false, preview: false, ...more };
}

const MODELS = [
  model('grain 10', 2),
  model('Grain 9', 7, { trigger_words: ['analog film'] }),
  model('anime', 7, { family: 'SDXL' }),
  model('dreamer', 1, { kind: 'checkpoint' }),
];

test('kinds are counted, and those without a model are not offered', () => {
  expect(kindsOf(MODELS).map(({ kind, count }) => [kind, count])).toEqual([
    ['checkpoint', 1],
    ['lora', 3],
  ]);
});

test('the most used come first, or the names in the order of people', () => {
  expect(filterModels(MODELS, 'lora', '', 'use').map(({ name }) => name)).toEqual(['anime', 'Grain 9', 'grain 10']);
  expect(filterModels(MODELS, 'lora', '', 'name').map(({ name }) => name)).toEqual(['anime', 'Grain 9', 'grain 10']);
  expect(filterModels([...MODELS].reverse(), 'lora', 'grain', 'name').map(({ name }) => name)).toEqual(['Grain 9', 'grain 10']);
});

test('names, families and trigger words are looked through, every word of them', () => {
  expect(filterModels(MODELS, 'lora', 'FILM gra', 'use').map(({ name }) => name)).toEqual(['Grain 9']);
  expect(filterModels(MODELS, 'lora', 'sdxl', 'use').map(({ name }) => name)).toEqual(['anime']);
  expect(filterModels(MODELS, 'lora', 'film sdxl', 'use')).toEqual([]);
});

test('the query names the model, and a LoRA with its weight', () => {
  expect(queryFor({ kind: 'checkpoint', name: 'my "own" mix' })).toBe('model:"my own mix"');
  expect(queryFor({ kind: 'lora', name: 'grain' })).toBe('lora:"grain"');
  expect(queryFor({ kind: 'lora', name: 'grain' }, 0.5)).toBe('lora:"grain">=0.5');
  expect(queryFor({ kind: 'vae', name: 'soft' })).toBeUndefined();
});
