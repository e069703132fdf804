import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { copy } from './clipboard';
import { toasts } from './toasts.svelte';

let clipboard: string[] = [];

beforeEach(() => {
  clipboard = [];
  toasts.list = [];
});
afterEach(() => void vi.unstubAllGlobals());

function allow(allowed: boolean): void {
  const writeText = (text: string): Promise<void> => (allowed ? Promise.resolve(void clipboard.push(text)) : Promise.reject(new Error('denied')));
  vi.stubGlobal('navigator', { clipboard: { writeText } });
}

test('a text is copied, and a toast says which', async () => {
  allow(true);
  await copy('a red fox', 'Prompt');
  expect([clipboard, toasts.list.map(({ text }) => text)]).toEqual([['a red fox'], ['Prompt copied.']]);
});

test('nothing is copied where there is nothing', async () => {
  allow(true);
  await copy('', 'Prompt');
  expect([clipboard, toasts.list.map(({ text }) => text)]).toEqual([[], ['Prompt is empty. Nothing was copied.']]);
});

test('a browser that does not allow it is named', async () => {
  allow(false);
  await copy('a red fox', 'Prompt');
  expect(toasts.list.map(({ text }) => text)).toEqual(['Your browser blocked copying. Allow clipboard access and try again.']);
});
