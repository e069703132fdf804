import { expect, test } from 'vitest';

import { binsOf } from './bins';

const months = [
  { value: '2025-11', count: 3, text: 'date:2025-11' },
  { value: '2026-01', count: 5, text: 'date:2026-01' },
  { value: '2026-02', count: 2, text: 'date:2026-02' },
];

test('every month has its column, empty ones too', () => {
  const bins = binsOf(months, 40);
  expect(bins.map((bin) => [bin.text, bin.count, bin.year])).toEqual([
    ['date:2025-11', 3, '2025'],
    ['date:2025-12', 0, ''],
    ['date:2026-01', 5, '2026'],
    ['date:2026-02', 2, ''],
  ]);
  expect(bins[1]?.label).toBe('Dec 2025');
});

test('where there is no room for months there are quarters, and then years', () => {
  expect(binsOf(months, 3).map((bin) => [bin.text, bin.count])).toEqual([
    ['date:2025-10..2025-12', 3],
    ['date:2026-01..2026-03', 7],
  ]);
  const ages = [{ value: '1999-05', count: 1, text: '' }, ...months];
  expect(binsOf(ages, 30)).toHaveLength(28);
  expect(binsOf(ages, 30).at(-1)).toMatchObject({ text: 'date:2026', count: 7 });
  expect(binsOf(ages, 5)).toHaveLength(28);
});

test('nothing has no columns', () => {
  expect(binsOf([], 12)).toEqual([]);
});
