import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { stale } from './stale.svelte';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('a list that changes many times is asked for once it rests', () => {
  const before = stale.of('tags');
  for (let at = 0; at < 4; at++) {
    stale.hear('tags');
    vi.advanceTimersByTime(100);
  }
  expect(stale.of('tags')).toBe(before);
  vi.advanceTimersByTime(300);
  expect(stale.of('tags')).toBe(before + 1);
  vi.advanceTimersByTime(5_000);
  expect(stale.of('tags')).toBe(before + 1);
});

test('a list that never rests is asked for now and then, and no other is', () => {
  const [tags, counts] = [stale.of('tags'), stale.of('counts')];
  for (let at = 0; at < 100; at++) {
    stale.hear('tags');
    vi.advanceTimersByTime(100);
  }
  expect(stale.of('tags') - tags).toBeGreaterThan(4);
  expect(stale.of('tags') - tags).toBeLessThan(9);
  expect(stale.of('counts')).toBe(counts);
});
