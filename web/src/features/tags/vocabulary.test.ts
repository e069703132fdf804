// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import trial from '../../../../tests/wire/tag_trial.json';
import { answer, refusal } from '../../api/answers';
import { connection } from '../../api/connection.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { change, mergeScript, runScript, tryScript, workLeft } from './vocabulary';

const DONE = { operation: 4, changed: 2, total: 2, state: 'done', error: null };

beforeEach(() => {
  toasts.list = [];
  connection.up = true;
});
afterEach(() => void vi.unstubAllGlobals());

test('several tags become one, line by line', () => {
  expect(mergeScript(['fox', 'foxes', 'red fox'], 'fox')).toBe('merge foxes -> fox\nmerge red fox -> fox');
  expect(mergeScript(['fox'], 'fox')).toBe('');
});

test('a change is asked for as it is, and said', async () => {
  const asked = answer({ '/api/v1/tags:rename': DONE });
  expect(await change({ do: 'rename', tag: 'foxy', to: 'fox' }, '“foxy” is “fox” now')).toBe(true);
  expect([asked[0]?.body, toasts.list[0]?.text]).toEqual([{ tag: 'foxy', to: 'fox' }, '“foxy” is “fox” now']);
});

test('why a change was refused goes to who asks for it', async () => {
  answer({ '/api/v1/tags:rename': refusal(409, 'There is a tag of this name.') });
  const heard: string[] = [];
  expect(await change({ do: 'rename', tag: 'foxy', to: 'fox' }, 'renamed', (sentence) => heard.push(sentence))).toBe(false);
  expect([heard, toasts.list]).toEqual([['There is a tag of this name.'], []]);
});

test('a refusal that the user can confirm says how', async () => {
  answer({ '/api/v1/tags:alias': Response.json({ detail: 'The categories differ.', confirm: 'across' }, { status: 409 }) });
  const heard: unknown[] = [];
  expect(await change({ do: 'alias', tag: 'miku', of: 'mikulas' }, 'alias added', (...all) => heard.push(all))).toBe(false);
  answer({ '/api/v1/tags:rename': refusal(409, 'There is a tag of this name.') });
  await change({ do: 'rename', tag: 'foxy', to: 'fox' }, 'renamed', (...all) => heard.push(all));
  expect(heard).toEqual([['The categories differ.', 'across'], ['There is a tag of this name.', null]]);
});

test('lines are tried before they are run', async () => {
  const asked = answer({ '/api/v1/tags:bulk-edit': ({ body }) => (body['dry_run'] ? trial : { lines: [], ok: true, edit: DONE }) });
  expect((await tryScript('delete blurry')).lines).toHaveLength(trial.lines.length);
  expect(await runScript('delete blurry', ({ changed }) => `${changed} changed`)).toBe(true);
  expect(asked.map(({ body }) => body)).toEqual([{ text: 'delete blurry', dry_run: true }, { text: 'delete blurry' }]);
  expect(toasts.list[0]?.text).toBe('2 changed');
});

test('how far images are brought up to date is one share over all of it', async () => {
  answer({ '/api/v1/tags/updates': { work: [] } });
  expect(await workLeft()).toBeUndefined();
  const work = [
    { tag: 'fox', effective: null, done: 30, total: 100 },
    { tag: null, effective: 'animal', done: 20, total: 100 },
    { tag: 'fox', effective: null, done: 0, total: 0 },
    { tag: null, effective: null, done: 0, total: 0 },
  ];
  answer({ '/api/v1/tags/updates': { work } });
  expect(await workLeft()).toEqual({ share: 0.25, names: ['fox', 'animal', 'all tags'] });
});
