// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { connection } from '../../api/connection.svelte';
import { Selection } from '../../lib/selection';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { deleteForever, emptyTrash, mark, restore, targetImages, toggleFavorite, trash } from './actions';
import { library } from './library.svelte';
import { routing } from './routing.svelte';
import { ServedImages } from './servedImages';

const UUIDS = ['a', 'b', 'c', 'd', 'e'];
const messages = (): string[] => toasts.list.map(({ text }) => text);

async function open(more: ConstructorParameters<typeof ServedImages>[1] = {}, scope: 'library' | 'trash' = 'library', uuids: readonly string[] = UUIDS): Promise<ServedImages> {
  const served = new ServedImages(uuids, more);
  served.serve();
  await library.open('', undefined, scope);
  await library.pages.bring([0]);
  return served;
}

beforeEach(() => {
  toasts.list = [];
  connection.up = true;
  routing.viewing = false;
});
afterEach(() => void vi.unstubAllGlobals());

test('an action is about what is selected; in the viewer about the image that is shown', async () => {
  await open();
  library.focused = 3;
  expect(targetImages()).toEqual(Selection.of(3));
  library.selection = new Selection().withRange(0, 1);
  expect(targetImages()).toBe(library.selection);
  routing.viewing = true;
  expect(targetImages()).toEqual(Selection.of(3));
});

test.each([
  [{ rating: 4 }, '1 image rated ★★★★'],
  [{ rating: 0 }, 'Rating cleared for 1 image'],
  [{ favorite: true }, '1 image added to favorites'],
  [{ favorite: false }, '1 image removed from favorites'],
  [{ notes: 'x' }, 'Note saved for 1 image'],
  [{ notes: '' }, 'Note cleared for 1 image'],
])('%o is asked for by its place in the list, and said: %s', async (set, text) => {
  const served = await open();
  await mark(set, Selection.of(2));
  expect(served.edits).toEqual([{ snapshot: library.view.snapshot, ranges: [[2, 3]], except: [], set }]);
  expect(messages()).toEqual([text]);
});

test('a mark shows at once, before the server has answered', async () => {
  await open();
  const marked = mark({ rating: 5 }, Selection.of(1));
  await Promise.resolve();
  await Promise.resolve();
  expect(library.pages.item(1)?.rating).toBe(5);
  await marked;
});

test('the heart of the image in focus turns round', async () => {
  const served = await open();
  await toggleFavorite();
  await toggleFavorite();
  expect(served.edits.map(({ set }) => set)).toEqual([{ favorite: true }, { favorite: false }]);
});

test('trashed images leave the list, the next one is focused, and an undo brings them back', async () => {
  await open();
  library.focused = 1;
  await trash();
  expect([library.view.total, library.focused, messages()]).toEqual([4, 1, ['1 image moved to Trash']]);
  expect(library.uuidOf(1)).toBe('c');
  await toasts.undoLast();
  await vi.waitUntil(() => library.view.total === 5);
  expect(library.uuidOf(library.focused)).toBe('b');
});

test('two removals in a row are each about the list that the one before left', async () => {
  const served = await open();
  library.focused = 0;
  await Promise.all([trash(), trash()]);
  expect(served.uuids).toEqual(['c', 'd', 'e']);
});

test('more than a thousand are moved only after a yes', async () => {
  const many = Array.from({ length: 1_200 }, (_, at) => `u${at}`);
  const served = await open({}, 'library', many);
  library.selectAll();
  const moved = trash();
  await vi.waitUntil(() => confirmation.asked);
  expect(confirmation.asked?.title).toBe('Move 1,200 images to Trash?');
  confirmation.reply(false);
  await moved;
  expect(served.edits).toEqual([]);
});

test('only what is in the Trash is restored, and only what is not is moved there', async () => {
  let served = await open();
  await restore();
  expect(served.edits).toEqual([]);
  served = await open({}, 'trash');
  await trash();
  expect(served.edits).toEqual([]);
  await restore(new Selection().withRange(0, 1));
  expect([served.edits[0]?.['set'], messages()]).toEqual([{ trash: false }, ['2 images restored']]);
});

test('nothing is deleted permanently without a yes, and its size is said first', async () => {
  const purged: unknown[] = [];
  const purge = { images: 5, files: 5, bytes: 2_400_000, beside: ['a.txt'], kept: [], left: 0 };
  await open({ '/api/v1/trash:purge': ({ body }) => (purged.push(body['dry_run']), purge) }, 'trash');
  const emptied = emptyTrash();
  await vi.waitUntil(() => confirmation.asked);
  expect(confirmation.asked?.text).toContain('(2.4 MB)');
  expect(confirmation.asked?.text).toContain('1 text file next to them is kept.');
  confirmation.reply(false);
  await emptied;
  expect(purged).toEqual([true]);
});

test('a yes deletes it, and what stayed is said with the reason', async () => {
  const purge = { images: 1, files: 1, bytes: 10, beside: [], kept: [['/p/a.png', 'It is read-only.']], left: 1 };
  await open({ '/api/v1/trash:purge': purge }, 'trash');
  const deleted = deleteForever(new Selection().withRange(0, 1));
  await vi.waitUntil(() => confirmation.asked);
  confirmation.reply(true);
  await deleted;
  expect(messages()).toEqual(['1 image permanently deleted. 1 image was kept in Trash: It is read-only.']);
});

test('without a server nothing is done, and that is said', async () => {
  const served = await open();
  connection.up = false;
  await mark({ rating: 3 });
  await trash();
  expect(served.edits).toEqual([]);
  expect(messages()).toEqual(Array.from({ length: 2 }, () => 'MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.'));
});
