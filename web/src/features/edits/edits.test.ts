// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { refusal } from '../../api/answers';
import type { EditResult } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import { library } from '../gallery/library.svelte';
import { ServedImages } from '../gallery/servedImages';
import { bulk, pickImages, runEdit, refreshList } from './edits';
import { undo } from './undo';

const DONE: EditResult = { operation: 5, changed: 2, total: 2, state: 'done', error: null };
const messages = (): string[] => toasts.list.map(({ text }) => text);

beforeEach(() => {
  toasts.list = [];
  connection.up = true;
});
afterEach(() => void vi.unstubAllGlobals());

test('an edit is asked for, said by a toast, and what is shown follows it', async () => {
  let shown = 0;
  const done = await runEdit({ text: 'Tagging', ask: () => Promise.resolve(DONE), describe: ({ changed }) => `${changed} tagged`, then: () => shown++ });
  expect([done, messages(), shown]).toEqual([DONE, ['2 tagged'], 1]);
  expect(toasts.list[0]?.undo).toBeDefined();
});

test('an edit that changed nothing worth a word is not said', async () => {
  await runEdit({ text: 'Tagging', ask: () => Promise.resolve({ ...DONE, changed: 0 }), describe: () => '' });
  expect(messages()).toEqual([]);
});

test('nothing is asked of a server that does not answer', async () => {
  connection.up = false;
  const ask = vi.fn(() => Promise.resolve(DONE));
  expect(await runEdit({ text: 'Tagging', ask, describe: () => 'tagged' })).toBeUndefined();
  expect(ask).not.toHaveBeenCalled();
  expect(messages()).toEqual(['MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.']);
});

test('a refusal is said by a toast, or goes to who asks for it', async () => {
  const ask = (): Promise<EditResult> => Promise.reject(new Error('This tag already exists.'));
  await runEdit({ text: 'Tagging', ask, describe: () => 'tagged' });
  expect(messages()).toEqual(['This tag already exists.']);
  const heard: string[] = [];
  await runEdit({ text: 'Tagging', ask, describe: () => 'tagged', refused: (sentence) => heard.push(sentence) });
  expect([heard, messages()]).toEqual([['This tag already exists.'], ['This tag already exists.']]);
});

test('what is selected is named by ranges of the view, never one by one', async () => {
  const served = new ServedImages(['a', 'b', 'c', 'd']);
  served.serve();
  await library.open('');
  const selected = new Selection().withRange(0, 3).toggle(2);
  await bulk(pickImages(selected), { tags: { add: ['fox'] } });
  expect(served.edits).toEqual([{ snapshot: library.view.snapshot, ranges: [[0, 4]], except: [2], set: { tags: { add: ['fox'] } } }]);
});

test('the list is asked for anew only where tags or collections decide what is in it', async () => {
  const served = new ServedImages(['a', 'b']);
  served.serve();
  await library.open('');
  const before = library.view.snapshot;
  await refreshList(new Selection());
  expect(library.view.snapshot).toBe(before);
  library.view = { ...library.view, filters: [{ text: 'tag:fox', field: 'tag', value: 'fox', negated: false }] };
  await refreshList(new Selection());
  expect(library.view.snapshot).not.toBe(before);
});

test('an undo is said, and can be redone; one that is refused says why', async () => {
  const served = new ServedImages(['a'], { '/api/v1/edits/5/redo': { ...DONE, operation: 6 }, '/api/v1/edits/9/undo': refusal(409, 'It changed since.') });
  served.serve();
  let shown = 0;
  await undo(5, () => shown++);
  await toasts.redoLast();
  expect([shown, messages()]).toEqual([2, ['Redone.']]);
  await undo(9, () => shown++);
  expect([shown, messages().at(-1)]).toEqual([2, 'It changed since.']);
});
