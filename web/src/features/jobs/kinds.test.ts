import { expect, test } from 'vitest';

import type { FailedJob, JobKind } from '../../api/client';
import { logOf, sortKinds, pace, groupParked, describeKind } from './kinds';

const kind = (name: string, waiting = 0): JobKind => ({ kind: name, waiting, running: 0, done: 3, failed: 0, cancelled: 0, paused: false, finished: 3, total: waiting + 3, rate_per_s: 0, eta_s: null });
const job = (id: number, error: string, of = 'thumb'): FailedJob => ({ id, kind: of, file: `${id}.png`, error, attempts: 2, crashes: 1 });

test('work that is left comes first, then thumbnails', () => {
  const kinds = [kind('reparse'), kind('strange'), kind('thumb'), kind('embed', 5)];
  expect(sortKinds(kinds).map((one) => one.kind)).toEqual(['embed', 'thumb', 'reparse', 'strange']);
  expect(describeKind('strange').name).toBe('strange');
});

test('how long it takes is said once it is known', () => {
  expect(pace(kind('thumb', 100))).toBe('');
  expect(pace({ ...kind('thumb', 0), rate_per_s: 5, eta_s: 0 })).toBe('');
  expect(pace({ ...kind('thumb', 600), rate_per_s: 2.5, eta_s: 240 })).toBe('2.5 per second · 4 min left');
});

test('what could not be done is grouped by what was said of it', () => {
  const groups = groupParked([job(1, 'cut off'), job(2, 'crashed\nsignal 11'), job(3, 'crashed\nsignal 6'), job(4, 'crashed', 'embed')]);
  expect(groups.map((group) => [group.kind, group.reason, group.failed.length])).toEqual([
    ['thumb', 'crashed', 2],
    ['thumb', 'cut off', 1],
    ['embed', 'crashed', 1],
  ]);
  expect(logOf(groupParked([job(2, 'crashed\nsignal 11')])[0]!)).toBe('thumb #2 · tried 2 times, crashed 1 time\n2.png\ncrashed\nsignal 11');
});
