import { expect, test } from 'vitest';

import type { Chip, Snapshot } from '../../api/client';
import { atFault, clearFilters, composeQuery, exclusionOf, filtersOf, withOrder, semanticQuery, correctSpelling, fixSeed, toggleTerm, withoutChip, withoutWord, withTerm } from './chips';

const chip = (text: string): Chip => {
  const plain = text.replace(/^-/, '');
  const [field = '', value = ''] = plain.includes(':') ? plain.split(':') : ['text', plain];
  return { text, field, value, negated: text.startsWith('-') };
};
const storm = chip('storm');
const model = chip('model:flux1-dev');
const rating = chip('-rating:5');
const viewOf = (words: Chip[], filters: Chip[], q = ''): Snapshot => {
  return { snapshot: 's', q, total: 0, sections: [], filters, words, sort: 'newest', unknown: [] };
};
const view = viewOf([storm, chip('"over the sea"')], [model, rating]);
const ordered = viewOf([], [model, chip('sort:oldest')]);

test('a chip that is taken away leaves the others', () => {
  expect(withoutChip(view, model)).toBe('storm "over the sea" -rating:5');
  expect(withoutWord(view, storm)).toBe('"over the sea" model:flux1-dev -rating:5');
});

test('a chip turns into its opposite and back', () => {
  expect(exclusionOf(view, model)).toBe('storm "over the sea" -model:flux1-dev -rating:5');
  expect(exclusionOf(view, rating)).toBe('storm "over the sea" model:flux1-dev rating:5');
});

test('what is typed stands beside the filters, and in place of the one that is edited', () => {
  expect(composeQuery(view, ' fog ')).toBe('fog model:flux1-dev -rating:5');
  expect(composeQuery(view, 'fog model:flux1', model)).toBe('fog model:flux1 -rating:5');
  expect(composeQuery(view, '')).toBe('model:flux1-dev -rating:5');
});

test('an OR that is typed does not take the filters in', () => {
  expect(composeQuery(view, 'fog OR mist')).toBe('(fog OR mist) model:flux1-dev -rating:5');
  expect(composeQuery(viewOf([], []), 'fog OR mist')).toBe('fog OR mist');
  expect(composeQuery(view, 'ORANGE')).toBe('ORANGE model:flux1-dev -rating:5');
});

test('the order is no filter, and stands once', () => {
  expect(filtersOf(ordered)).toEqual([model]);
  expect(composeQuery(ordered, 'fog')).toBe('fog model:flux1-dev sort:oldest');
  expect(composeQuery(ordered, 'fog sort:name')).toBe('fog sort:name model:flux1-dev');
  expect(withOrder(ordered, 'sort:name')).toBe('model:flux1-dev sort:name');
  expect(withOrder(ordered, 'sort:newest')).toBe('model:flux1-dev');
  expect(clearFilters(ordered)).toBe('sort:oldest');
});

const robots = { text: '~"sad robot"', field: 'similar', value: 'sad robot', negated: false };
const similar: Snapshot = { ...viewOf([], [robots, model]), sort: 'similarity' };

test('likeness orders by itself, and its order goes with it', () => {
  expect(withOrder(similar, 'sort:newest')).toBe('~"sad robot" model:flux1-dev sort:newest');
  expect(withOrder(similar, 'sort:similarity')).toBe('~"sad robot" model:flux1-dev');
  expect(withoutChip(similar, robots)).toBe('model:flux1-dev');
  expect(composeQuery(similar, '~"a storm"')).toBe('~"a storm" model:flux1-dev');
  expect(composeQuery(similar, 'looks:4f9c0d2e')).toBe('looks:4f9c0d2e model:flux1-dev');
  expect(composeQuery(similar, 'fog')).toBe('fog ~"sad robot" model:flux1-dev');
});

test('words can be meant, terms cannot', () => {
  expect(semanticQuery(' sad robot ')).toBe('~"sad robot"');
  expect(semanticQuery('tag:robot')).toBeUndefined();
  expect(semanticQuery('~"sad"')).toBeUndefined();
  expect(semanticQuery('a')).toBeUndefined();
});

test('an order by chance is the same order from then on', () => {
  expect(fixSeed('fog sort:random')).toMatch(/^fog sort:random:\d+$/);
  expect(fixSeed('sort:random:42')).toBe('sort:random:42');
});

test('a term comes in once, takes its opposite out, and goes again', () => {
  expect(withTerm(view, 'rating:5')).toBe('storm "over the sea" model:flux1-dev rating:5');
  expect(withTerm(ordered, 'tag:sea')).toBe('model:flux1-dev tag:sea sort:oldest');
  expect(toggleTerm(view, 'model:flux1-dev')).toBe('storm "over the sea" -rating:5');
  expect(toggleTerm(view, 'tag:sea')).toBe('storm "over the sea" model:flux1-dev -rating:5 tag:sea');
});

test('a misspelt name is exchanged where it stands, not in a longer one', () => {
  const misspelt = { field: 'lora', value: 'gran', text: 'lora:gran', suggestion: 'lora:grain' };
  expect(correctSpelling(viewOf([], [], 'lora:grand lora:gran>=0.5'), misspelt)).toBe('lora:grand lora:grain>=0.5');
  expect(correctSpelling(viewOf([], [], '(tag:a OR lora:gran)'), misspelt)).toBe('(tag:a OR lora:grain)');
});

test('the place of an error is its term', () => {
  expect(atFault('fog modle:"a b" sea', 4)).toEqual({ before: 'fog ', term: 'modle:"a b"', after: ' sea' });
  expect(atFault('(a OR masterpiece:1.2)', 6)).toEqual({ before: '(a OR ', term: 'masterpiece:1.2', after: ')' });
  expect(atFault('😀 tag:x_(y) b', 2).term).toBe('tag:x_(y)');
});
