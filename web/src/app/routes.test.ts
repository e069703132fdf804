// @vitest-environment happy-dom
import { expect, test } from 'vitest';

import { MODES, PAGES, pageOf } from './routes';

test.each([
  ['/library', '', 'Library'],
  ['/library', 'is:favorite', 'Favorites'],
  ['/library', 'fox is:favorite', 'Library'],
  ['/tags', '', 'Tags'],
  ['/backups', '', 'Backups'],
  ['/nowhere', '', 'Library'],
])('%s with the query “%s” is the page %s', (path, query, label) => {
  expect(pageOf(path, query).label).toBe(label);
});

test('each page has a name of its own, and those under another lead to it', () => {
  const labels = PAGES.map(({ label }) => label);
  expect(new Set(labels).size).toBe(labels.length);
  const paths = PAGES.map(({ path }) => path as string);
  expect(PAGES.flatMap(({ under }) => (under && !paths.includes(under) ? [under] : []))).toEqual([]);
});

test('what fills the window has no place in the rail', () => {
  expect(PAGES.filter(({ path }) => MODES.has(path))).toEqual([]);
});
