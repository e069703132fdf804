// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { refusal } from '../../api/answers';
import { Selection } from '../../lib/selection';
import { library } from './library.svelte';
import { ServedImages } from './servedImages';

const UUIDS = ['a', 'b', 'c', 'd', 'e'];

function serve(more: ConstructorParameters<typeof ServedImages>[1] = {}, uuids = UUIDS): ServedImages {
  const served = new ServedImages(uuids, more);
  served.serve();
  return served;
}

beforeEach(() => void (library.viewpoint = () => undefined));
afterEach(() => void vi.unstubAllGlobals());

test('a query is opened at its newest image, or at the one that is asked for', async () => {
  serve();
  await library.open('fox');
  expect([library.query, library.view.total, library.focused, library.takeLanding()]).toEqual(['fox', 5, 0, 'top']);
  await library.open('fox', 'd');
  expect([library.focused, library.takeLanding(), library.takeLanding()]).toEqual([3, 'focus', undefined]);
  await library.open('fox', 'not in it');
  expect(library.focused).toBe(0);
});

test('a query that cannot be read finds nothing, and the error says where it went wrong', async () => {
  serve();
  await library.open('fox');
  serve({ '/api/v1/snapshots': refusal(400, 'No such field.') });
  await library.open('modle:x');
  expect([library.query, library.view.total, library.error?.message, library.busy]).toEqual(['modle:x', 0, 'No such field.', false]);
});

test('while the server is away what is shown stays', async () => {
  serve();
  await library.open('fox');
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  await library.open('snow');
  expect([library.query, library.view.total, library.error?.status]).toEqual(['fox', 5, 0]);
});

test('the search that was asked for last is the one that is shown', async () => {
  const held: (() => void)[] = [];
  const served = serve();
  const answered = globalThis.fetch;
  vi.stubGlobal('fetch', async (request: Request) => {
    if ((await request.clone().text()).includes('slow')) await new Promise<void>((go) => held.push(go));
    return answered(request);
  });
  const slow = library.open('slow');
  await library.open('quick');
  held.forEach((go) => go());
  await slow;
  expect([library.query, served.requests.length > 0]).toEqual(['quick', true]);
});

test('asked anew, the focus stays with its image', async () => {
  const served = serve();
  await library.open('');
  await library.pages.bring([0]);
  library.focused = 2;
  served.uuids = ['new', ...UUIDS];
  await library.renew();
  expect([library.focused, library.uuidOf(library.focused), library.view.total]).toEqual([3, 'c', 6]);
});

test('who is at the newest stays with the newest', async () => {
  const served = serve();
  await library.open('');
  served.uuids = ['new', ...UUIDS];
  await library.renew();
  expect(library.focused).toBe(0);
});

test('when its image goes, the focus goes to the next that stays', async () => {
  const served = serve();
  await library.open('');
  await library.pages.bring([0]);
  library.focused = 1;
  served.uuids = ['a', 'd', 'e'];
  await library.renew(new Selection().withRange(1, 2));
  await library.pages.bring([0]);
  expect([library.focused, library.uuidOf(library.focused)]).toEqual([1, 'd']);
});

test('what is selected meanwhile is worth more than what is new', async () => {
  const served = serve();
  await library.open('');
  served.uuids = ['new', ...UUIDS];
  const renewed = library.renew();
  while (!library.busy) await Promise.resolve();
  library.selection = Selection.of(2);
  await renewed;
  expect([library.view.total, library.selection.count, library.outdated]).toEqual([5, 1, true]);
});

test('everything is selected as one range; of nothing there is nothing to choose', async () => {
  serve();
  await library.open('');
  library.selectAll();
  expect([library.selection.ranges, library.selection.count]).toEqual([[[0, 5]], 5]);
  serve({}, []);
  await library.open('none');
  library.selectAll();
  expect(library.selection.count).toBe(0);
});

test('an image is found by its place, and by its uuid', async () => {
  serve();
  await library.open('');
  library.focused = 4;
  expect([await library.focusedUuid(), await library.indexOf('b'), await library.indexOf('x')]).toEqual(['e', 1, null]);
});

test('the size of the thumbnails is kept in this browser', () => {
  library.setSize(300);
  expect([library.targetHeight, localStorage.getItem('size')]).toEqual([300, '300']);
});
