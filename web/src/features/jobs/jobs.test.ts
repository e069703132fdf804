import { afterEach, expect, test, vi } from 'vitest';

import wire from '../../../../tests/wire/jobs.json';
import { answer } from '../../api/answers';
import type { JobKind } from '../../api/client';
import { jobs } from './jobs.svelte';

afterEach(() => void vi.unstubAllGlobals());

function kind(waiting: number, running: number, done: number): JobKind {
  return { kind: 'thumb', waiting, running, done, failed: 0, cancelled: 0, paused: false, finished: done, total: waiting + running + done, rate_per_s: 0, eta_s: null };
}

test('counts that the server tells are shown as they come', () => {
  jobs.hear([kind(5, 1, 2), kind(0, 0, 4)]);
  expect([jobs.left, jobs.share]).toEqual([6, 0.5]);
  jobs.hear([]);
  expect([jobs.left, jobs.share]).toEqual([0, 1]);
});

test('the list brings what failed and what is paused with it', async () => {
  answer({ '/api/v1/jobs/summary': { ...wire, paused: ['thumb'] } });
  await jobs.load();
  expect([jobs.kinds.length, jobs.failed.length, jobs.paused]).toEqual([wire.kinds.length, wire.failed.length, ['thumb']]);
});

test('steering says which kind, which jobs, or all of them, and shows what came of it', async () => {
  const asked = answer({ '/api/v1/jobs/summary': wire, '/api/v1/jobs:': null });
  await jobs.steer('pause', 'thumb');
  await jobs.steer('retry', undefined, [3, 4]);
  expect(asked.map(({ path, body }) => [path, body])).toEqual([
    ['/api/v1/jobs:pause', { kind: 'thumb', ids: null }],
    ['/api/v1/jobs/summary', {}],
    ['/api/v1/jobs:retry', { kind: null, ids: [3, 4] }],
    ['/api/v1/jobs/summary', {}],
  ]);
});
