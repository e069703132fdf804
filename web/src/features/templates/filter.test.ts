import { expect, test } from 'vitest';

import type { Template } from '../../api/templates';
import { filterTemplates } from './filter';

const BARE = { params: {}, preview: null, thumb: null, uses: 0, created_at: 0, variables: [], wildcards: [] };
const TEMPLATES: Template[] = [
  { ...BARE, uuid: 'a', name: 'Portrait', content: 'a {subject} in red light', negative: null, category: 'people' },
  { ...BARE, uuid: 'b', name: 'Night street', content: 'neon, rain', negative: 'people', category: 'places' },
  { ...BARE, uuid: 'c', name: 'Forest', content: 'fog, RED leaves', negative: null, category: null },
];

test.each([
  ['', '', 'abc'],
  ['red', '', 'ac'],
  ['RED fog', '', 'c'],
  ['light red', '', 'a'],
  ['people', '', 'ab'],
  ['people', 'places', 'b'],
  ['', 'people', 'a'],
  ['red neon', '', ''],
])('“%s” of the category “%s” finds %s', (text, category, found) => {
  expect(filterTemplates(TEMPLATES, text, category).map(({ uuid }) => uuid).join('')).toBe(found);
});
