import { expect, test } from 'vitest';

import { describeTimeLeft } from './retention';

test('days until the purge are those of the calendar, at any hour', () => {
  const late = new Date(2026, 10, 25, 23, 50);
  expect(['2026-11-24', '2026-11-25', '2026-11-26', '2026-12-25'].map((day) => describeTimeLeft(day, late))).toEqual([
    'Overdue',
    'Will be deleted today',
    'Will be deleted tomorrow',
    'Will be deleted in 30 days',
  ]);
});

test('the clocks going back cost no day', () => {
  expect(describeTimeLeft('2026-10-26', new Date(2026, 9, 24, 0, 5))).toBe('Will be deleted in 2 days');
});
