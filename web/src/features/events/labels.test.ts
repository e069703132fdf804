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

test('every kind is in one group', () => {
  const kinds = GROUPS.flatMap((group) => group.kinds);
  expect(new Set(kinds).size).toBe(kinds.length);
  for (const kind of kinds) expect(nameOf({ ...AN_EVENT, kind }), kind).not.toBe(kind);
});
