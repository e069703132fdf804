// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import wire from '../../../../tests/wire/collections.json';
import type { Asked } from '../../api/answers';
import type { Collection } from '../../api/collections';
import { connection } from '../../api/connection.svelte';
import { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import { library } from '../gallery/library.svelte';
import { ServedImages } from '../gallery/servedImages';
import { collections, indexes } from './collections.svelte';

const DONE = { operation: 8, changed: 1, total: 1, state: 'done', error: null };
const FOXES = { ...wire.collections[0], uuid: 'foxes', name: 'Foxes', kind: 'manual', parent: null, text: 'collection:foxes sort:manual' } as Collection;
const STARS = { ...FOXES, uuid: 'stars', name: 'Stars', kind: 'smart', query: 'rating:5', text: 'collection:stars', parent: 'foxes' } as Collection;
const messages = (): string[] => toasts.list.map(({ text }) => text);
let served: ServedImages;

function isCreation({ body }: Asked): boolean {
  return 'name' in body;
}

beforeEach(async () => {
  toasts.list = [];
  connection.up = true;
  served = new ServedImages(['a', 'b', 'c', 'd'], {
    '/api/v1/collections': (asked) => (isCreation(asked) ? { ...DONE, uuid: 'new' } : { collections: [FOXES, STARS] }),
    '/api/v1/collections/': DONE,
  });
  served.serve();
  await library.open('');
  await library.pages.bring([0]);
  await collections.load();
});
afterEach(() => void vi.unstubAllGlobals());

/** The library shows a collection in manual order. */
function show(one: Collection): void {
  library.view = { ...library.view, sort: 'manual', filters: [{ text: `collection:${one.uuid}`, field: 'collection', value: one.uuid, negated: false }] };
}

test('the tree is shown with what is in a collection that is open', () => {
  expect(collections.rows.map(({ one, level }) => [one.name, level])).toEqual([['Foxes', 1], ['Stars', 2]]);
  collections.setOpen('foxes', false);
  expect([collections.rows.length, localStorage.getItem('closed collections')]).toEqual([1, ' foxes']);
  collections.setOpen('foxes', true);
});

test('the one that the library shows is known, unless something else narrows it', () => {
  show(FOXES);
  expect([collections.current?.name, collections.arranged]).toEqual(['Foxes', true]);
  library.view = { ...library.view, words: [{ text: 'red', field: 'text', value: 'red', negated: false }] };
  expect(collections.current).toBeUndefined();
});

test('one is made, and its name is said; in another one, that opens', async () => {
  expect(await collections.create({ name: 'Owls', parent: 'foxes' })).toBe('new');
  expect(messages()).toEqual(['Collection “Owls” created']);
});

test.each([
  [{ parent: 'stars', position: 1 }, '“Foxes” moved into “Stars”'],
  [{ parent: null, position: 4 }, '“Foxes” moved'],
])('where one is moved to is said: %o', async (place, text) => {
  await collections.move(FOXES, place);
  expect([served.requests.find(({ path }) => path.endsWith('/foxes'))?.body, messages()]).toEqual([place, [text]]);
});

test('images go in and out by ranges, with their number and the name', async () => {
  await collections.collect('foxes', new Selection().withRange(0, 1));
  await collections.removeFromCollection('foxes', Selection.of(2));
  expect(served.edits.map(({ ranges, set }) => [ranges, set])).toEqual([
    [[[0, 2]], { collect: 'foxes' }],
    [[[2, 3]], { uncollect: 'foxes' }],
  ]);
  expect(messages()).toEqual(['2 images added to “Foxes”', '1 image removed from “Foxes”']);
});

test('images are moved before another, or to the end; before itself nothing moves', async () => {
  show(FOXES);
  const moves = (): unknown[] => served.requests.filter(({ path }) => path.endsWith(':reorder')).map(({ body }) => body);
  await collections.arrange(Selection.of(1), 1);
  expect(moves()).toEqual([]);
  await collections.arrange(new Selection().withRange(1, 2), 0);
  expect(moves()).toEqual([{ images: ['b', 'c'], before: 'a' }]);
  show(FOXES);
  await collections.arrange(Selection.of(0), 4);
  expect(moves().at(-1)).toEqual({ images: ['a'] });
});

test('of a selection a thousand images at most are named', () => {
  expect(indexes(new Selection().withRange(3, 6).toggle(4))).toEqual([3, 5, 6]);
  expect(indexes(new Selection().withRange(0, 5_000))).toHaveLength(1_000);
});
