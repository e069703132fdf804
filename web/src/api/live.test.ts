import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import wire from '../../../tests/wire/events.json';
import { LiveUpdates, type LiveEvent } from './live';

/** One tab's end of a channel; its messages go to the other tabs of the test. */
class Channel {
  static readonly tabs: Channel[] = [];
  onmessage: ((message: { data: unknown }) => void) | null = null;

  constructor() {
    Channel.tabs.push(this);
  }

  postMessage(data: unknown): void {
    for (const tab of Channel.tabs) if (tab !== this) tab.onmessage?.({ data });
  }
}

/** The connection of the leading tab, through which the test sends events. */
class Source {
  static readonly opened: Source[] = [];
  onerror: (() => void) | undefined;
  closed = false;
  private readonly listeners = new Map<string, (message: { data: string; lastEventId: string }) => void>();

  constructor(readonly address: string) {
    Source.opened.push(this);
  }

  addEventListener(kind: string, hear: (message: { data: string; lastEventId: string }) => void): void {
    this.listeners.set(kind, hear);
  }

  close(): void {
    this.closed = true;
  }

  say(kind: string, data: unknown, id: number): void {
    this.listeners.get(kind)?.({ data: JSON.stringify(data), lastEventId: String(id) });
  }
}

const leads: (() => unknown)[] = [];

function tab(): LiveEvent[] {
  const heard: LiveEvent[] = [];
  new LiveUpdates((event) => heard.push(event)).start();
  return heard;
}

/** The tab that has waited longest gets the lock. */
function lead(): Source {
  leads.shift()?.();
  const source = Source.opened.at(-1);
  if (!source) throw new Error('No tab has a connection.');
  return source;
}

beforeEach(() => {
  vi.useFakeTimers();
  [Channel.tabs, Source.opened, leads].forEach((list) => void (list.length = 0));
  vi.stubGlobal('BroadcastChannel', Channel);
  vi.stubGlobal('EventSource', Source);
  vi.stubGlobal('navigator', { locks: { request: (_: string, run: () => unknown) => void leads.push(run) } });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('one tab has the connection, and all hear each event once', () => {
  const [first, second] = [tab(), tab()];
  const source = lead();
  source.say('hello', 4, 4);
  source.say('image.changed', wire['image.changed'], 5);
  source.say('image.changed', wire['image.changed'], 5);
  expect(Source.opened).toHaveLength(1);
  for (const heard of [first, second]) expect(heard.map(({ kind }) => kind)).toEqual(['connected', 'image.changed']);
});

test('the next tab to lead goes on where the last one stopped', () => {
  const [, second] = [tab(), tab()];
  lead().say('hello', 4, 4);
  Source.opened[0]?.say('jobs', wire.jobs, 9);
  expect(lead().address).toBe('/api/v1/events/stream?since=9');
  Source.opened[1]?.say('jobs', wire.jobs, 9);
  expect(second.filter(({ kind }) => kind === 'jobs')).toHaveLength(1);
});

test('a connection that breaks is said to be lost, and tried again later and later', () => {
  const heard = tab();
  lead().onerror?.();
  expect([heard, Source.opened[0]?.closed]).toEqual([[{ kind: 'lost' }], true]);
  vi.advanceTimersByTime(1_000);
  Source.opened[1]?.onerror?.();
  vi.advanceTimersByTime(1_000);
  expect(Source.opened).toHaveLength(2);
  vi.advanceTimersByTime(500);
  expect(Source.opened).toHaveLength(3);
});

test('a new tab learns from the one that leads where the others are', () => {
  tab();
  lead().say('hello', 7, 7);
  const late = tab();
  expect(late).toEqual([{ kind: 'connected', id: 7 }]);
});

test('after a reset the numbers may begin anew', () => {
  const heard = tab();
  const source = lead();
  source.say('hello', 50, 50);
  source.say('image.changed', wire['image.changed'], 3);
  source.say('reset', {}, 2);
  source.say('image.changed', wire['image.changed'], 3);
  expect(heard.map(({ kind }) => kind)).toEqual(['connected', 'reset', 'image.changed']);
});
