import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Announcer } from './announcer.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('one sentence a second, the last one winning', () => {
  const announcer = new Announcer();
  for (const sentence of ['1', '2', '3']) announcer.say(sentence);
  expect(announcer.text).toBe('1');
  vi.advanceTimersByTime(1_001);
  expect(announcer.text).toBe('3');
});

test('progress is said at every quarter, once', () => {
  const announcer = new Announcer();
  const said: string[] = [];
  for (let share = 0; share <= 1; share += 0.01) {
    announcer.progress('Import', share);
    vi.advanceTimersByTime(1_001);
    if (said.at(-1) !== announcer.text) said.push(announcer.text);
  }
  expect(said.filter(Boolean)).toEqual(['Import: 25%', 'Import: 50%', 'Import: 75%']);
});
