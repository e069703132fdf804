import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { invalidation } from './invalidation.svelte';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('a list that changes many times is asked for once it rests', () => {
  const before = invalidation.versionOf('tags');
  for (let at = 0; at < 4; at++) {
    invalidation.mark('tags');
    vi.advanceTimersByTime(100);
  }
  expect(invalidation.versionOf('tags')).toBe(before);
  vi.advanceTimersByTime(300);
  expect(invalidation.versionOf('tags')).toBe(before + 1);
  vi.advanceTimersByTime(5_000);
  expect(invalidation.versionOf('tags')).toBe(before + 1);
});

test('a list that never rests is asked for now and then, and no other is', () => {
  const [tags, counts] = [invalidation.versionOf('tags'), invalidation.versionOf('counts')];
  for (let at = 0; at < 100; at++) {
    invalidation.mark('tags');
    vi.advanceTimersByTime(100);
  }
  expect(invalidation.versionOf('tags') - tags).toBeGreaterThan(4);
  expect(invalidation.versionOf('tags') - tags).toBeLessThan(9);
  expect(invalidation.versionOf('counts')).toBe(counts);
});
