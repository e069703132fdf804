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

test('Ctrl+Z walks back through the edits, also those whose toast has gone', async () => {
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
  expect(toasts.list.at(-1)?.text).toContain('Nothing to undo on this page');
});

test('an edit that was undone by its button is not undone again', async () => {
  const toasts = new Toasts();
  const undone: string[] = [];
  toasts.add('a', () => void undone.push('a'));
  toasts.add('b', () => void undone.push('b'));
  const [, second] = toasts.list;
  if (second) toasts.undo(second);
  await toasts.undoLast();
  expect(undone).toEqual(['b', 'a']);
});

test('Ctrl+Z that is pressed again waits until the edit before is taken back', async () => {
  const toasts = new Toasts();
  const steps: string[] = [];
  const slowly = (name: string) => async (): Promise<void> => {
    steps.push(`${name} begins`);
    await Promise.resolve();
    await Promise.resolve();
    steps.push(`${name} ends`);
  };
  toasts.add('a', slowly('a'));
  toasts.add('b', slowly('b'));
  await Promise.all([toasts.undoLast(), toasts.undoLast()]);
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(steps).toEqual(['b begins', 'b ends', 'a begins', 'a ends']);
});

test('Ctrl+Z waits for an edit that is on its way', async () => {
  const toasts = new Toasts();
  const undone: string[] = [];
  let finish = (): void => undefined;
  const edit = new Promise<void>((done) => (finish = done)).then(() => toasts.add('late', () => void undone.push('late')));
  void toasts.during(edit);
  const undoing = toasts.undoLast();
  expect(undone).toEqual([]);
  finish();
  await undoing;
  expect(undone).toEqual(['late']);
});

test('what was undone can be redone until something else is edited', async () => {
  const toasts = new Toasts();
  const done: string[] = [];
  const redo = (): void => void done.push('again');
  toasts.add('an edit', () => toasts.undone(redo));
  await toasts.undoLast();
  await toasts.redoLast();
  expect(done).toEqual(['again']);
  toasts.undone(redo);
  toasts.add('no edit');
  toasts.add('another edit', () => undefined);
  await toasts.redoLast();
  expect(done).toEqual(['again']);
  expect(toasts.list.at(-1)?.text).toBe('Nothing to redo.');
});

test('work is shown with its share until it ends', () => {
  const toasts = new Toasts();
  const tell = toasts.work('Moving');
  tell(0.25);
  expect(toasts.works.map(({ text, share }) => [text, share])).toEqual([['Moving', 0.25]]);
  tell();
  expect(toasts.works).toEqual([]);
});
