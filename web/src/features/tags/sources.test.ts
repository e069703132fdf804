import { expect, test } from 'vitest';

import type { Assignment, Tag } from '../../api/tags';
import { sourcesOf } from './sources';

const tag = (name: string): Tag => ({ id: name.length, name, category: null, state: 'known', origin: 'user', images: 1, alias_of: null });
const said = (name: string, source: Assignment['source'], more: Partial<Assignment> = {}): Assignment => ({
  tag: name, shown_as: name, source, run: '', decision: true, confidence: null, created_at: 0, ...more,
});

test('a tag of models alone waits for a word, with the surest score', () => {
  const { shown } = sourcesOf({
    tags: [tag('fox'), tag('snow'), tag('animal')],
    assignments: [said('fox', 'vision', { confidence: 0.4, run: 'wd-v3' }), said('fox', 'llm', { confidence: 0.9 }), said('snow', 'vision', { confidence: 0.8 }), said('snow', 'user')],
    collections: [],
  });
  expect(shown.map((one) => [one.name, one.byMachine, one.score, one.mark])).toEqual([
    ['animal', false, null, 'implied'],
    ['snow', false, null, ''],
    ['fox', true, 0.9, 'model'],
  ]);
  expect(shown[2]?.why).toBe('Set by wd-v3 (40%), by a language model (90%)');
});

test('what models say below the threshold is told apart, and what a person rejects is not said again', () => {
  const { shown, unsure, rejected } = sourcesOf({
    tags: [],
    assignments: [said('dog', 'vision', { confidence: 0.2 }), said('cat', 'vision', { confidence: 0.7 }), said('cat', 'user', { decision: false }), said('kitty', 'user', { decision: false, shown_as: 'cat' }), said('sea', 'prompt')],
    collections: [],
  });
  expect(shown).toEqual([]);
  expect(unsure.map((one) => one.name)).toEqual(['dog']);
  expect(rejected).toEqual(['cat']);
});
