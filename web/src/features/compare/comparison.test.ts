// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import done from '../../../../tests/wire/bulk.json';
import detail from '../../../../tests/wire/detail.json';
import { refusal } from '../../api/answers';
import { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import { library } from '../gallery/library.svelte';
import { routing } from '../gallery/routing.svelte';
import { ServedImages } from '../gallery/servedImages';
import { COMPARE, comparison } from './comparison.svelte';

const shown = (): string[] => comparison.details.map(({ uuid }) => uuid);
const messages = (): string[] => toasts.list.map(({ text }) => text);

async function serve(uuids: readonly string[] = ['a', 'b', 'c', 'd', 'e'], more: ConstructorParameters<typeof ServedImages>[1] = {}): Promise<ServedImages> {
  const served = new ServedImages(uuids, { '/api/v1/images/': ({ path }) => ({ ...detail, uuid: path.split('/').at(-1) }), ...more });
  served.serve();
  await library.open('');
  return served;
}

beforeEach(() => {
  toasts.list = [];
  routing.path = '/library';
});
afterEach(() => void vi.unstubAllGlobals());

test.each([
  [0, [[0, 2]]],
  [2, [[2, 4]]],
  [4, [[3, 5]]],
])('with nothing selected the image in focus (%i) is compared with the one beside it', async (focused, ranges) => {
  const served = await serve();
  library.focused = focused;
  await comparison.enter();
  expect(served.requests.find(({ path }) => path.endsWith(':narrow'))?.body['ranges']).toEqual(ranges);
  expect(routing.path).toBe(COMPARE);
});

test('more than four, or one alone, are not compared, and that is said', async () => {
  await serve();
  library.selectAll();
  await comparison.enter();
  await serve(['a']);
  await comparison.enter();
  expect([messages(), routing.path]).toEqual([['You can compare two to four images. Select fewer.', 'You need at least two images to compare.'], '/library']);
});

test('the address says which: each once, four at most', async () => {
  await serve();
  await comparison.show('a,b,a,c,d,e');
  expect([shown(), comparison.problem]).toEqual([['a', 'b', 'c', 'd'], '']);
  await comparison.show('a');
  expect(comparison.problem).toBe('You need at least two images to compare.');
});

test('an image that is gone is a problem that is said', async () => {
  await serve(['a', 'b'], { '/api/v1/images/b': refusal(404, 'There is no such image.') });
  await comparison.show('a,b');
  expect([comparison.problem, shown()]).toEqual(['There is no such image.', []]);
});

test('panes are walked round, change places, and are dropped until two are left', async () => {
  await serve();
  await comparison.show('a,b,c');
  comparison.go(-1);
  expect(comparison.active).toBe(2);
  comparison.swap();
  expect([shown(), comparison.active]).toEqual([['c', 'b', 'a'], 0]);
  expect(new URLSearchParams(location.search).get('of')).toBe('c,b,a');
  comparison.drop(1);
  expect(shown()).toEqual(['c', 'a']);
});

test('a mark is for the pane that it was given to, and is read again', async () => {
  const served = await serve(['a', 'b'], { '/api/v1/edits': { ...done, changed: 1 } });
  await comparison.show('a,b');
  await comparison.mark(1, { rating: 5 }, '1 image rated ★★★★★');
  expect(served.edits).toEqual([{ uuids: ['b'], set: { rating: 5 } }]);
  expect(messages()).toEqual(['1 image rated ★★★★★']);
  library.selection = new Selection();
});
