import { expect, test } from 'vitest';

import type { Template } from '../../api/templates';
import { Draft } from './draft.svelte';

const KEPT: Template = {
  uuid: 'u', name: 'Foxes', content: 'a {red|white} fox', negative: null, params: { width: 512, steps: 20, sampler: 'Euler a' },
  category: null, preview: null, thumb: null, uses: 0, created_at: 0, variables: [], wildcards: [],
};

test('a draft is changed only while it differs from what is kept', () => {
  const draft = new Draft(KEPT);
  expect(draft.changed).toBe(false);
  draft.settings['steps'] = '21';
  expect([draft.changed, draft.params]).toEqual([true, { sampler: 'Euler a', steps: 21, width: 512 }]);
  draft.settings['steps'] = ' 20 ';
  draft.negative = '  ';
  expect(draft.changed).toBe(false);
  draft.settings['width'] = '';
  expect(draft.params).toEqual({ sampler: 'Euler a', steps: 20 });
});

test('once saved it is what is kept', () => {
  const draft = new Draft(KEPT);
  draft.name = 'Wolves';
  draft.settle({ ...KEPT, name: 'Wolves', uses: 3 });
  expect([draft.changed, draft.isOf({ ...KEPT, name: 'Wolves' }), draft.isOf(KEPT)]).toEqual([false, true, false]);
});

test('a new one begins empty', () => {
  const draft = new Draft();
  expect([draft.uuid, draft.changed]).toEqual([undefined, false]);
  draft.content = 'x';
  expect(draft.changed).toBe(true);
});
