// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { connection } from '../api/connection.svelte';
import { COMPARE } from '../features/compare/comparison.svelte';
import { CULL } from '../features/cull/session.svelte';
import { library } from '../features/gallery/library.svelte';
import { panels } from '../features/gallery/panels.svelte';
import { routing } from '../features/gallery/routing.svelte';
import { ServedImages } from '../features/gallery/servedImages';
import { confirmation } from '../ui/confirmation.svelte';
import { onKey, SHEETS, SHORTCUTS } from './keys';

let served: ServedImages;

function press(key: string, held: KeyboardEventInit = {}, on: Element = document.body): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...held });
  on.addEventListener('keydown', (heard) => onKey(heard as KeyboardEvent), { once: true });
  on.dispatchEvent(event);
  return event;
}

beforeEach(async () => {
  document.body.innerHTML = '';
  panels.dialog = undefined;
  [routing.path, routing.viewing, connection.up] = ['/library', false, true];
  served = new ServedImages(['a', 'b', 'c', 'd']);
  served.serve();
  await library.open('');
});
afterEach(() => void vi.unstubAllGlobals());

test.each(SHEETS.map((sheet) => [sheet.name, sheet] as const))('no key stands twice in the table of %s, and each says what it does', (_, { shortcuts }) => {
  const keys = shortcuts.flatMap((shortcut) => shortcut.keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(shortcuts.filter(({ shown, does }) => !shown || !does)).toEqual([]);
});

test('arrows move the focus, held down too; other keys count once', () => {
  press('ArrowRight');
  press('ArrowRight', { repeat: true });
  expect(library.focused).toBe(2);
  press('x', { repeat: true });
  expect(library.selection.count).toBe(0);
  press('x');
  expect(library.selection.has(2)).toBe(true);
});

test('Shift with arrows selects from where it began, and Escape selects nothing', () => {
  press('End');
  press('ArrowLeft', { shiftKey: true });
  press('ArrowLeft', { shiftKey: true });
  expect(library.selection.ranges).toEqual([[1, 4]]);
  press('Escape');
  expect(library.selection.count).toBe(0);
});

test('where one types, letters are letters', () => {
  document.body.innerHTML = '<input>';
  press('x', {}, document.querySelector('input') ?? document.body);
  expect(library.selection.count).toBe(0);
});

test.each([
  ['a dialog', () => void (panels.dialog = 'keys')],
  ['a question', () => void confirmation.ask({ title: 'Sure?', text: '', act: 'Yes' })],
])('while %s is open the keys are for it', (_, open) => {
  open();
  const event = press('x');
  expect([library.selection.count, event.defaultPrevented]).toEqual([0, false]);
  confirmation.reply(false);
});

test('Enter on a button presses the button', () => {
  document.body.innerHTML = '<button></button>';
  const event = press('Enter', {}, document.querySelector('button') ?? document.body);
  expect([routing.viewing, event.defaultPrevented]).toEqual([false, false]);
});

test('a key with Alt, or one that was heard already, is not for the gallery', () => {
  press('x', { altKey: true });
  const event = new KeyboardEvent('keydown', { key: 'x', cancelable: true });
  event.preventDefault();
  onKey(event);
  expect(library.selection.count).toBe(0);
});

test('on other pages only the keys work that are for everywhere', () => {
  routing.path = '/tags';
  press('x');
  expect(library.selection.count).toBe(0);
  press('?');
  expect(panels.dialog).toBe('keys');
  expect(SHORTCUTS.filter(({ anywhere }) => anywhere).map(({ shown }) => shown)).toEqual(['/', 'Ctrl+Z', 'Ctrl+Shift+Z', '?']);
});

test('a mode has keys of its own, which stand before those of the list', () => {
  const keysOf = (path: string): string[] => SHEETS.find((sheet) => sheet.path === path)?.shortcuts.flatMap(({ keys }) => keys) ?? [];
  expect([CULL, COMPARE].map((path) => keysOf(path).includes('x'))).toEqual([true, true]);
  routing.path = CULL;
  press('x');
  expect(library.selection.count).toBe(0);
});

test('a number rates the image in focus', async () => {
  press('4');
  await vi.waitUntil(() => served.edits.length > 0);
  expect(served.edits[0]).toMatchObject({ ranges: [[0, 1]], set: { rating: 4 } });
});
