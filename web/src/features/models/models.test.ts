// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import bulk from '../../../../tests/wire/bulk.json';
import scan from '../../../../tests/wire/model_scan.json';
import wire from '../../../../tests/wire/models.json';
import { answer, pathsOf, refusal } from '../../api/answers';
import { connection } from '../../api/connection.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { models } from './models.svelte';

const NOTHING = { ...scan, found: 1, added: 0, changed: 0, moved: 0, missing: 0, failed: 0, failures: [] };
const messages = (): string[] => toasts.list.map(({ text }) => text);

beforeEach(() => {
  toasts.list = [];
  connection.up = true;
});
afterEach(() => void vi.unstubAllGlobals());

test('the registry is listed; each time it may be another one', async () => {
  answer({ '/api/v1/models': wire });
  const { version } = models;
  await models.load();
  expect([models.list.length, models.loaded, models.version]).toEqual([wire.models.length, true, version + 1]);
});

test('a registry that cannot be read says why, and shows what it had', async () => {
  answer({ '/api/v1/models': refusal(500, 'The library is locked.') });
  await models.load();
  expect([models.problem, models.list.length]).toEqual(['The library is locked.', wire.models.length]);
});

test.each([
  [{ found: 1 }, '1 model found.'],
  [{ found: 1_200, added: 3, failed: 1 }, '1,200 models found, 3 new, 1 unreadable.'],
  [{ found: 2, changed: 1, moved: 1, missing: 2 }, '2 models found, 1 changed, 1 moved, 2 missing.'],
])('a scan of %o is said: %s', async (counts, text) => {
  answer({ '/api/v1/models': wire, '/api/v1/models:scan': { ...NOTHING, ...counts } });
  expect(await models.scan(['/models'])).toBe('');
  expect(messages()).toEqual([text]);
});

test('a file that could not be read is named, the first of them', async () => {
  answer({ '/api/v1/models': wire, '/api/v1/models:scan': { ...NOTHING, failures: [{ path: '/m/a.safetensors', reason: 'It ends early.' }] } });
  expect(await models.scan([])).toBe('/m/a.safetensors: It ends early.');
});

test('one scan at a time', async () => {
  const asked = answer({ '/api/v1/models': wire, '/api/v1/models:scan': NOTHING });
  const first = models.scan([]);
  expect(await models.scan([])).toBe('A model scan is already running. Wait until it finishes.');
  await first;
  expect(pathsOf(asked)).toEqual(['/api/v1/models:scan', '/api/v1/models']);
});

test('two models become one, with a way back', async () => {
  const asked = answer({ '/api/v1/models': wire, '/api/v1/models:merge': bulk });
  const [keep, other] = wire.models;
  if (!keep || !other) throw new Error('There are not two models.');
  await models.merge(keep, other);
  expect(asked[0]?.body).toEqual({ keep: keep.id, other: other.id });
  expect([messages(), toasts.list[0]?.undo !== undefined]).toEqual([[`${other.name} merged into ${keep.name}.`], true]);
  connection.up = false;
  await models.merge(keep, other);
  expect(asked).toHaveLength(2);
});
