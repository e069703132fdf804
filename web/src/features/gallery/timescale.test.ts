import { expect, test } from 'vitest';

import { dateMarks, isDated, monthsOn, positionMarks, sectionOfDate } from './timescale';

const made = (...days: string[]) => days.map((day, at) => ({ day, start: at * 10, count: 10 }));
const newest = made('2026-08-22', '2026-08-02', '2026-05-30', '2025-12-24');
const oldest = [...newest].reverse();

test('months on are older where the newest are first, and younger where the oldest are', () => {
  expect(monthsOn(newest, '2026-08-22', 1)).toBe(2);
  expect(monthsOn(newest, '2026-05-30', -1)).toBe(1);
  expect(monthsOn(newest, '2025-12-24', 12)).toBe(-1);
  expect(monthsOn(oldest, '2025-12-24', 1)).toBe(1);
  expect(monthsOn(oldest, '2026-08-02', -12)).toBe(-1);
  expect(monthsOn(oldest, '2026-08-02', -3)).toBe(1);
});

test('a date is its first section in the order of the list', () => {
  expect(sectionOfDate(newest, '2026-08')?.day).toBe('2026-08-22');
  expect(sectionOfDate(oldest, '2026-08')?.day).toBe('2026-08-02');
  expect(sectionOfDate(newest, '2026-06')?.day).toBe('2026-05-30');
  expect(sectionOfDate(oldest, '2026-06')?.day).toBe('2026-08-02');
  expect(sectionOfDate(made(''), '2026')).toBeUndefined();
});

test('years are named, months are dots, and neither where there is no room', () => {
  const marks = dateMarks(newest, (at) => [0, 0.4, 0.5, 0.505][at] ?? 1);
  expect(marks).toEqual([
    { name: '2026', share: 0, named: true },
    { name: '2026-05', share: 0.5, named: false },
    { name: '2025', share: 0.505, named: true },
  ]);
});

test('without dates there are the numbers of the images', () => {
  expect(isDated(made(''))).toBe(false);
  expect(positionMarks(1_000_000, (index) => index / 1_000_000).map((mark) => [mark.name, mark.share])).toEqual([
    ['250K', 0.25],
    ['500K', 0.5],
    ['750K', 0.75],
  ]);
  expect(positionMarks(3, () => 0)).toEqual([]);
});
