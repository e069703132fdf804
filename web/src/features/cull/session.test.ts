// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import { library } from '../gallery/library.svelte';
import { routing } from '../gallery/routing.svelte';
import { ServedImages } from '../gallery/servedImages';
import { CULL, cullSession } from './session.svelte';

let served: ServedImages;

/** Culls the images from the first one on. */
async function begin(uuids: readonly string[] = ['a', 'b', 'c', 'd']): Promise<void> {
  served = new ServedImages(uuids);
  served.serve();
  await library.open('');
  await library.pages.bring([0]);
  cullSession.enter();
  await cullSession.begin();
}

beforeEach(() => void (toasts.list = []));
afterEach(() => {
  cullSession.end();
  vi.unstubAllGlobals();
});

test('all images of the list are gone through, or those that are selected', async () => {
  await begin();
  expect([routing.path, cullSession.total, cullSession.at, cullSession.busy]).toEqual([CULL, 4, 0, false]);
  library.selection = new Selection().withRange(1, 2);
  cullSession.enter();
  await cullSession.begin();
  expect(served.requests.filter(({ path }) => path.endsWith(':narrow')).at(-1)?.body).toMatchObject({ ranges: [[1, 3]], except: [] });
});

test('a decision leads to the next image, the last one to the end', async () => {
  await begin(['a', 'b']);
  cullSession.decide('keep');
  expect([cullSession.at, cullSession.ending]).toEqual([1, false]);
  cullSession.decide('reject');
  expect([cullSession.at, cullSession.ending, cullSession.rejects, cullSession.decided]).toEqual([1, true, ['b'], 2]);
});

test('rejecting moves nothing until the end, and then all at once', async () => {
  await begin();
  for (const verdict of ['reject', 'keep', 'reject', 'keep'] as const) cullSession.decide(verdict);
  expect(served.edits).toEqual([]);
  await cullSession.commit();
  expect(served.edits).toEqual([{ uuids: ['a', 'c'], set: { trash: true } }]);
  expect([served.uuids, toasts.list.map(({ text }) => text)]).toEqual([['b', 'd'], ['2 images moved to Trash']]);
});

test('stars and a heart are kept at once, and mean that the image stays', async () => {
  await begin();
  cullSession.mark({ rating: 4 });
  cullSession.mark({ favorite: true });
  await vi.waitUntil(() => served.edits.length === 2);
  expect(served.edits).toEqual([
    { uuids: ['a'], set: { rating: 4 } },
    { uuids: ['b'], set: { favorite: true } },
  ]);
  expect([...cullSession.verdicts]).toEqual([
    ['a', 'keep'],
    ['b', 'keep'],
  ]);
});

test('the last decision is taken back, and before it the one before', async () => {
  await begin();
  cullSession.decide('reject');
  cullSession.go(0);
  cullSession.decide('keep');
  await cullSession.takeBack();
  expect([cullSession.at, cullSession.rejects]).toEqual([0, ['a']]);
  await cullSession.takeBack();
  expect([cullSession.decided, cullSession.at]).toEqual([0, 0]);
  await cullSession.takeBack();
  expect(cullSession.decided).toBe(0);
});

test('taking a rating back undoes it on the server', async () => {
  await begin();
  cullSession.mark({ rating: 4 });
  await cullSession.takeBack();
  expect(served.requests.map(({ path }) => path)).toContain('/api/v1/edits/1/undo');
});

test('a rejected image is spared at the end', async () => {
  await begin();
  cullSession.decide('reject');
  cullSession.spare('a');
  expect([cullSession.rejects, cullSession.verdicts.get('a')]).toEqual([[], 'keep']);
});

test('leaving asks first only when something was rejected', async () => {
  await begin();
  cullSession.decide('reject');
  cullSession.leave();
  expect(cullSession.ending).toBe(true);
});

test('unrated only: the view is narrowed by a search', async () => {
  await begin();
  await cullSession.toggleUnrated();
  expect(served.requests.filter(({ path }) => path.endsWith(':narrow')).at(-1)?.body['q']).toBe('rating:0 -is:favorite');
});
