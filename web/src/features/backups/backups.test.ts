import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import wire from '../../../../tests/wire/backups.json';
import { answer, refusal } from '../../api/answers';
import type { Backup } from '../../api/backups';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { backups, reasonOf } from './backups.svelte';

const BACKUP: Backup = { name: 'library-1.db', path: '/b/library-1.db', bytes: 2_400_000, made_at: 1, why: 'hourly', verified: true };
const DRILL = `/api/v1/backups/${wire.backups[0]?.name}:drill`;
const messages = (): string[] => toasts.list.map(({ text }) => text);

beforeEach(() => {
  toasts.list = [];
  backups.problem = backups.restoring = '';
});
afterEach(() => void vi.unstubAllGlobals());

test.each([
  ['hourly', 'automatic, hourly'],
  ['asked', 'manual'],
  ['before-schema-12', 'before an upgrade'],
  ['something new', 'something new'],
])('a backup that was made for “%s” says: %s', (why, text) => {
  expect(reasonOf({ ...BACKUP, why })).toBe(text);
});

test('a backup is made, said with its size, and then in the list', async () => {
  const asked = answer({ '/api/v1/backups': ({ body }) => (Object.keys(body).length ? null : { ...wire, ...BACKUP }) });
  await backups.make();
  expect([messages(), backups.making, asked.length]).toEqual([['Backup created and verified (2.4 MB).'], false, 2]);
  expect(backups.state?.folder).toBe(wire.folder);
});

test('a drill says how many images came back, or what went wrong', async () => {
  answer({ '/api/v1/backups': wire, [DRILL]: { images: 1_200, error: null } });
  await backups.tryOut();
  answer({ '/api/v1/backups': wire, [DRILL]: { images: 0, error: 'The newest backup is damaged.' } });
  await backups.tryOut();
  expect(messages()).toEqual(['Restore test passed (1,200 images).', 'The newest backup is damaged.']);
  expect(backups.trying).toBe(false);
});

test('without a verified backup there is nothing to test', async () => {
  const asked = answer({ '/api/v1/backups': { ...wire, backups: [{ ...BACKUP, why: 'damaged', verified: false }] } });
  await backups.tryOut();
  expect([messages(), asked.length]).toEqual([['There is no verified backup yet. Create a backup first.'], 1]);
});

test('nothing is restored without a yes', async () => {
  const asked = answer({ '/api/v1/backups': wire });
  const restored = backups.restore(BACKUP, 'Jul 4, 2026, 9:05 AM');
  expect(confirmation.asked?.title).toBe('Restore the backup of Jul 4, 2026, 9:05 AM?');
  confirmation.reply(false);
  await restored;
  expect([asked, backups.restoring]).toEqual([[], '']);
});

test('while one is restored the server is away, and that is no problem', async () => {
  answer({ '/api/v1/backups/library-1.db:restore': null, '/api/v1/backups': refusal(503, 'Away.') });
  const restored = backups.restore(BACKUP, 'then');
  confirmation.reply(true);
  await restored;
  await backups.load();
  expect([backups.restoring, backups.problem]).toEqual(['library-1.db', '']);
  answer({ '/api/v1/backups': wire });
  await backups.load();
  expect(backups.restoring).toBe('');
});

test('a list that cannot be read says why', async () => {
  answer({ '/api/v1/backups': refusal(500, 'The folder of the backups is gone.') });
  await backups.load();
  expect(backups.problem).toBe('The folder of the backups is gone.');
});
