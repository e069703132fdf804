import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { answer, refusal } from '../../api/answers';
import type { LogEvent } from '../../api/events';
import { events } from './events.svelte';

const ALL = 250;

function event(id: number): LogEvent {
  return { id, at: id, level: 'info', kind: 'scan', subject: null, data: {} };
}

/** A log of many events, newest first. */
function log(): ReturnType<typeof answer> {
  return answer({
    '/api/v1/events': ({ params }) => {
      const from = Number(params.get('before') ?? ALL + 1) - 1;
      const count = Math.min(Number(params.get('limit')), from);
      return { events: Array.from({ length: count }, (_, at) => event(from - at)), next: from > count ? from - count + 1 : null };
    },
  });
}

beforeEach(() => {
  events.list = [];
  [events.group, events.level, events.days] = ['', '', 0];
});
afterEach(() => void vi.unstubAllGlobals());

test('the newest events come first, older ones when asked for, each once', async () => {
  log();
  await events.load();
  expect([events.list.length, events.list[0]?.id, events.complete]).toEqual([100, 250, false]);
  await events.more();
  await events.more();
  expect([events.list.length, events.list.at(-1)?.id, events.complete]).toEqual([250, 1, true]);
  await events.more();
  expect(events.list).toHaveLength(250);
});

test('what is loaded again goes as far back as one had looked', async () => {
  const asked = log();
  await events.load();
  await events.more();
  await events.load();
  expect(asked.at(-1)?.params.get('limit')).toBe('200');
});

test('filters are asked for by kind, by level and what is above it, and by time', () => {
  vi.useFakeTimers({ now: 10 * 86_400_000 });
  [events.group, events.level, events.days] = ['Backups', 'warning', 7];
  const asked = new URLSearchParams(events.query);
  expect(asked.getAll('kind')).toContain('backup.failed');
  expect(asked.getAll('level')).toEqual(['warning', 'error']);
  expect(asked.get('since')).toBe(String(3 * 86_400_000));
  events.level = 'error';
  expect(new URLSearchParams(events.query).getAll('level')).toEqual(['error']);
  vi.useRealTimers();
});

test('without filters everything is asked for', () => {
  expect(events.query).toBe('');
});

test('a log that cannot be read says why', async () => {
  answer({ '/api/v1/events': refusal(500, 'The log is away.') });
  await events.load();
  expect([events.problem, events.loaded]).toEqual(['The log is away.', true]);
});
