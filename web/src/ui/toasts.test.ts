import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Toasts } from './toasts.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('three are shown, for ten seconds', () => {
  const toasts = new Toasts();
  for (const text of ['one', 'two', 'three', 'four']) toasts.add(text);
  expect(toasts.list.map((toast) => toast.text)).toEqual(['two', 'three', 'four']);
  vi.advanceTimersByTime(9_900);
  expect(toasts.list).toHaveLength(3);
  vi.advanceTimersByTime(200);
  expect(toasts.list).toEqual([]);
});

test('one that is looked at stays', () => {
  const toasts = new Toasts();
  toasts.add('read me');
  const id = toasts.list[0]?.id ?? 0;
  toasts.pause(id);
  vi.advanceTimersByTime(60_000);
  expect(toasts.list).toHaveLength(1);
  toasts.resume(id);
  vi.advanceTimersByTime(10_001);
  expect(toasts.list).toEqual([]);
});

test('Ctrl+Z walks back through the deeds, also those whose toast has gone', async () => {
  const toasts = new Toasts();
  const undone: string[] = [];
  toasts.add('a', () => void undone.push('a'));
  toasts.add('b', () => void undone.push('b'));
  toasts.add('c');
  vi.advanceTimersByTime(20_000);
  await toasts.undoLast();
  await toasts.undoLast();
  expect(undone).toEqual(['b', 'a']);
  await toasts.undoLast();
  expect(undone).toEqual(['b', 'a']);
  expect(toasts.list.at(-1)?.text).toBe('There is nothing to undo.');
});

test('a deed that was undone by its button is not undone again', async () => {
  const toasts = new Toasts();
  const undone: string[] = [];
  toasts.add('a', () => void undone.push('a'));
  toasts.add('b', () => void undone.push('b'));
  const [, second] = toasts.list;
  if (second) toasts.undo(second);
  await toasts.undoLast();
  expect(undone).toEqual(['b', 'a']);
});

test('Ctrl+Z waits for a deed that is on its way', async () => {
  const toasts = new Toasts();
  const undone: string[] = [];
  let finish = (): void => undefined;
  const deed = new Promise<void>((done) => (finish = done)).then(() => toasts.add('late', () => void undone.push('late')));
  void toasts.during(deed);
  const undoing = toasts.undoLast();
  expect(undone).toEqual([]);
  finish();
  await undoing;
  expect(undone).toEqual(['late']);
});
