import { expect, test } from 'vitest';

import { compact, dayName, formatBytes, formatCount, formatDay, formatDuration, formatMoment, formatNumber, formatTime, monthName, pluralize } from './format';

test('numbers have their thousands apart, or few digits', () => {
  expect([0, 999, 1_000, 1_234_567].map(formatNumber)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([999, 1_234, 250_000].map(compact)).toEqual(['999', '1.2K', '250K']);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [9_940, '9.9 kB'],
  [15_300, '15 kB'],
  [2_400_000_000, '2.4 GB'],
  [7_000_000_000_000_000, '7000 TB'],
])('%i bytes are %s: one digit after the point below ten', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '1 s'],
  [89, '89 s'],
  [90, '2 min'],
  [5_399, '90 min'],
  [5_400, '1.5 h'],
])('%i seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('a day and a month are those of the calendar, wherever one is', () => {
  expect(dayName('2026-03-01')).toBe('Sun, March 1, 2026');
  expect([monthName('2026-01-31'), monthName('2025-12')]).toEqual(['Jan 2026', 'Dec 2025']);
});

test('a moment has its day and its minute', () => {
  const moment = new Date(2026, 6, 4, 9, 5).getTime();
  // Which space precedes AM depends on the browser.
  expect(formatMoment(moment)).toMatch(/^Jul 4, 2026, 9:05\sAM$/);
  expect(formatDay(moment)).toBe('July 4, 2026');
  expect(formatTime(moment)).toMatch(/^9:05\sAM$/);
});

test('a count has its noun in the singular or the plural', () => {
  expect([0, 1, 2, 1_200].map((count) => formatCount(count, 'image'))).toEqual(['0 images', '1 image', '2 images', '1,200 images']);
  expect([1, 2].map((count) => formatCount(count, 'copy', 'copies'))).toEqual(['1 copy', '2 copies']);
  expect([1, 2].map((count) => pluralize(count, 'has', 'have'))).toEqual(['has', 'have']);
});
