import { expect, test } from 'vitest';

import type { LogEvent } from '../../api/events';
import { details, GROUPS, nameOf } from './labels';

const AN_EVENT: LogEvent = { id: 1, at: 0, level: 'info', kind: 'scan', subject: '/pictures', data: {} };

test('a scan says what it found', () => {
  const data = { imported: 3, missing: 1, seen: 1_200, seconds: 2, message: '' };
  expect(details({ ...AN_EVENT, data })).toBe('/pictures · 3 new, 1 missing · 1,200 files in 2 s');
});

test('a kind that nobody has named is shown as it is', () => {
  expect(nameOf({ ...AN_EVENT, kind: 'other.kind' })).toBe('other.kind');
  expect(details({ ...AN_EVENT, kind: 'other.kind', subject: null })).toBe('');
});

test.each([
  ['library.imported', 'Archive imported'],
  ['mended', 'Problem repaired'],
  ['root.offline', 'Folder offline'],
])('an event %s is shown as “%s”, and its filter finds it', (kind, label) => {
  expect(nameOf({ ...AN_EVENT, kind })).toBe(label);
  expect(GROUPS.filter((group) => group.kinds.includes(kind))).toHaveLength(1);
});

test('a scan of one file, and a restore test of one image, are in the singular', () => {
  expect(details({ ...AN_EVENT, data: { seen: 1, seconds: 2 } })).toBe('/pictures · no changes · 1 file in 2 s');
  expect(details({ ...AN_EVENT, kind: 'backup.drill', subject: null, data: { images: 1 } })).toBe('1 image, all checks passed');
});

test('every kind is in one group', () => {
  const kinds = GROUPS.flatMap((group) => group.kinds);
  expect(new Set(kinds).size).toBe(kinds.length);
  for (const kind of kinds) expect(nameOf({ ...AN_EVENT, kind }), kind).not.toBe(kind);
});
