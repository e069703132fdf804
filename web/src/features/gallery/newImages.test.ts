// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Selection } from '../../lib/selection';
import { library } from './library.svelte';
import { newImages } from './newImages.svelte';
import { routing } from './routing.svelte';
import { ServedImages } from './servedImages';

let served: ServedImages;

beforeEach(async () => {
  routing.viewing = false;
  served = new ServedImages(['a', 'b'], {});
  served.serve();
  await library.open('');
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('while the newest are in view, new images come in by themselves, many at once', async () => {
  served.uuids = ['new', 'a', 'b'];
  await newImages.arrive();
  await newImages.arrive();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(library.view.total).toBe(3);
  expect(served.requests.filter(({ path }) => path === '/api/v1/snapshots')).toHaveLength(2);
});

test.each([
  ['the viewer is open', () => void (routing.viewing = true)],
  ['something is selected', () => void (library.selection = Selection.of(1))],
])('while %s they are announced, and nothing moves', async (_, begin) => {
  begin();
  served.uuids = ['new', 'a', 'b'];
  const answered = globalThis.fetch;
  vi.stubGlobal('fetch', (request: Request) => (request.url.endsWith('/newer') ? Promise.resolve(Response.json({ count: 1 })) : answered(request)));
  expect(newImages.mayEnter).toBe(false);
  await newImages.arrive();
  await vi.advanceTimersByTimeAsync(2_000);
  expect([library.newer, library.view.total]).toEqual([1, 2]);
  library.selection = new Selection();
});

test('a change counts only for a search, which may find other images then', async () => {
  const asked = (): number => served.requests.filter(({ path }) => path === '/api/v1/snapshots').length;
  newImages.recheck();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked()).toBe(1);
  library.view = { ...library.view, words: [{ text: 'fox', field: 'text', value: 'fox', negated: false }] };
  newImages.recheck();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(asked()).toBe(2);
});
