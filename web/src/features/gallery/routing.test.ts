// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { toasts } from '../../ui/toasts.svelte';
import { library } from './library.svelte';
import { LINEAGE, routing, TRASH } from './routing.svelte';
import { ServedImages } from './servedImages';

const address = (): string => decodeURIComponent(location.pathname + location.search);

beforeEach(async () => {
  toasts.list = [];
  history.replaceState(null, '', '/library');
  [routing.path, routing.viewing, routing.of] = ['/library', false, ''];
  new ServedImages(['a', 'b', 'c']).serve();
  await library.open('');
  await library.pages.bring([0]);
});
afterEach(() => void vi.unstubAllGlobals());

test('a search is in the address, and is what the list shows', async () => {
  routing.search('tag:fox');
  await vi.waitUntil(() => library.query === 'tag:fox' && !library.busy);
  expect([address(), routing.inLibrary]).toEqual(['/library?q=tag:fox', true]);
});

test('the address says what it shows when one comes by a link', async () => {
  history.replaceState(null, '', '/library?q=fox&at=c&view=1');
  const end = routing.start();
  await vi.waitUntil(() => library.query === 'fox' && !library.busy);
  expect([library.focused, routing.viewing]).toEqual([2, true]);
  end();
});

test('the Trash is a list of its own', async () => {
  routing.to(TRASH);
  await vi.waitUntil(() => library.scope === 'trash');
  expect([address(), routing.inList, routing.inLibrary]).toEqual(['/trash', true, false]);
});

test('a page about an image is opened on top, and names it', () => {
  routing.lineageOf('b');
  expect([address(), routing.path, routing.of, routing.inList]).toEqual(['/lineage?of=b', LINEAGE, 'b', false]);
});

test('another page leaves the list as it was, with its focus', () => {
  library.focused = 1;
  const before = library.view.snapshot;
  routing.to('/tags');
  routing.to('/library');
  expect([library.view.snapshot, address()]).toEqual([before, '/library?at=b']);
});

test('the viewer has an address, which names the image', () => {
  routing.openViewer(2);
  expect([routing.viewing, address()]).toEqual([true, '/library?at=c&view=1']);
});

test('an image is viewed from another page among what the list shows', async () => {
  routing.to('/tags');
  await routing.view('b');
  expect([library.focused, routing.viewing, address()]).toEqual([1, true, '/library?at=b&view=1']);
});

test('one that is gone is not viewed, and that is said', async () => {
  await routing.view('gone');
  expect([routing.viewing, toasts.list[0]?.text]).toEqual([false, 'This image is no longer in the library.']);
});

test.each([
  [() => routing.similarTo('b'), '/library?q=like:b'],
  [() => routing.findVisuallySimilar('b'), '/library?q=looks:b'],
])('what is similar to an image is a search', (go, found) => {
  go();
  expect(address()).toBe(found);
});
