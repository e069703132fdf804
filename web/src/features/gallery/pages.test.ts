import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Page } from '../../api/client';
import { IN_FLIGHT, PAGE_SIZE, Pages, PAGES_KEPT } from './pages.svelte';

interface Asked {
  page: number;
  signal: AbortSignal;
  answer: (status?: number) => Promise<void>;
}

let asked: Asked[] = [];

function rows(start: number): Page {
  const column = <T>(value: (index: number) => T): T[] => Array.from({ length: PAGE_SIZE }, (_, at) => value(start + at));
  return {
    start,
    uuid: column((index) => `uuid-${index}`),
    thumb: column(() => null),
    color: column(() => 0),
    favorite: column(() => 0),
    rating: column(() => 0),
    flags: column((index) => index % 4),
    width: column(() => 64),
    height: column(() => 64),
    timestamp: column(() => 0),
    prompt: column(() => null),
    explicit: column(() => null),
  };
}

const settle = (): Promise<void> => new Promise((done) => setTimeout(done));

beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', ({ url, signal }: Request) => {
    const start = Number(new URL(url).searchParams.get('start'));
    return new Promise<Response>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
      const answer = async (status = 200): Promise<void> => {
        resolve(new Response(JSON.stringify(status === 200 ? rows(start) : { detail: 'gone' }), { status }));
        await settle();
      };
      asked.push({ page: start / PAGE_SIZE, signal, answer });
    });
  });
});
afterEach(() => vi.unstubAllGlobals());

const inView = (page: number): [number, number] => [page * PAGE_SIZE, page * PAGE_SIZE + 40];

test('what is in view is asked for once, and known when it has come', async () => {
  const pages = new Pages('s', () => undefined);
  pages.want(...inView(3));
  pages.want(...inView(3));
  expect(asked.map((one) => one.page)).toEqual([3]);
  expect(pages.item(3 * PAGE_SIZE)).toBeUndefined();
  await asked[0]?.answer();
  expect(pages.item(3 * PAGE_SIZE + 7)?.uuid).toBe(`uuid-${3 * PAGE_SIZE + 7}`);
  expect([pages.item(3 * PAGE_SIZE + 1)?.missing, pages.item(3 * PAGE_SIZE + 2)?.damaged]).toEqual([true, true]);
});

test('a page that is no longer in view is not waited for, and holds nobody up', () => {
  const pages = new Pages('s', () => undefined);
  for (let page = 0; page < 20; page += 2) pages.want(...inView(page));
  expect(asked.map((one) => one.page)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(asked.filter((one) => !one.signal.aborted).map((one) => one.page)).toEqual([18]);
});

test('few are on their way at once, and the others follow', async () => {
  const pages = new Pages('s', () => undefined);
  pages.want(0, 7 * PAGE_SIZE);
  expect(asked).toHaveLength(IN_FLIGHT);
  await asked[0]?.answer();
  expect(asked.map((one) => one.page)).toEqual([0, 1, 2, 3, 4]);
});

test('the least recently seen are forgotten', async () => {
  const pages = new Pages('s', () => undefined);
  for (let page = 0; page < PAGES_KEPT; page++) {
    pages.want(...inView(page));
    await asked.at(-1)?.answer();
  }
  pages.want(...inView(0));
  pages.want(...inView(PAGES_KEPT));
  await asked.at(-1)?.answer();
  expect(pages.item(0)).toBeDefined();
  expect(pages.item(PAGE_SIZE)).toBeUndefined();
  expect(pages.item(2 * PAGE_SIZE)).toBeDefined();
});

test('a mark is shown at once wherever what is selected is known', async () => {
  const pages = new Pages('s', () => undefined);
  pages.want(...inView(0));
  await asked[0]?.answer();
  pages.mark({ has: (index) => index === 3 || index === 5 }, { rating: 4 });
  pages.mark({ has: (index) => index === 5 }, { favorite: true });
  expect([3, 4, 5].map((index) => [pages.item(index)?.rating, pages.item(index)?.favorite])).toEqual([
    [4, false],
    [0, false],
    [4, true],
  ]);
});

test('what has changed is fetched anew, or forgotten when it is out of sight', async () => {
  const pages = new Pages('s', () => undefined);
  for (let page = 0; page < 10; page++) {
    pages.want(...inView(page));
    await asked.at(-1)?.answer();
  }
  pages.refresh([`uuid-${9 * PAGE_SIZE}`, 'uuid-0']);
  expect(asked.slice(10).map((one) => one.page)).toEqual([9]);
  expect(pages.item(0)).toBeUndefined();
  expect(pages.item(9 * PAGE_SIZE)).toBeDefined();
});

test('a view that the server has dropped is told of', async () => {
  let gone = 0;
  const pages = new Pages('s', () => gone++);
  pages.want(...inView(0));
  await asked[0]?.answer(410);
  expect(gone).toBe(1);
});

test('a page that failed is asked for again when it is wanted again, not before', async () => {
  const pages = new Pages('s', () => undefined);
  pages.want(...inView(0));
  await asked[0]?.answer(500);
  expect(asked).toHaveLength(1);
  pages.want(...inView(0));
  expect(asked).toHaveLength(2);
});
