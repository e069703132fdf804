import { afterEach, expect, test, vi } from 'vitest';

import { PART, ROW_PX, TagListing } from './tagList.svelte';

afterEach(() => void vi.unstubAllGlobals());

/** A vocabulary of this size; records the requests. */
function vocabulary(total: number): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', ({ url }: Request) => {
    const params = new URL(url).searchParams;
    const start = Number(params.get('start'));
    asked.push(`${params.get('q')}:${start}`);
    const tags = Array.from({ length: Math.max(0, Math.min(PART, total - start)) }, (_, at) => ({ id: start + at, name: `t${start + at}` }));
    return Promise.resolve(new Response(JSON.stringify({ total, start, tags })));
  });
  return asked;
}
const rest = (): Promise<void> => new Promise((done) => setTimeout(done, 5));

test('of a hundred thousand tags only those in view are drawn and fetched', async () => {
  const asked = vocabulary(100_000);
  const list = new TagListing();
  list.height = 800;
  await list.open({ q: '', category: undefined, sort: 'name' });
  list.scrollTop = 50_000 * ROW_PX;
  list.want();
  await rest();
  expect(list.end - list.first).toBeLessThan(40);
  expect(list.at(50_005)?.name).toBe('t50005');
  expect(asked.length).toBeLessThan(4);
});

test('another list takes the place of the one before, also when that comes late', async () => {
  const asked = vocabulary(300);
  const list = new TagListing();
  list.height = 400;
  const slow = list.open({ q: 'a', category: undefined, sort: 'name' });
  await list.open({ q: 'b', category: undefined, sort: 'name' });
  await slow;
  list.want();
  await rest();
  expect(asked).toEqual(['a:0', 'b:0']);
  expect(list.total).toBe(300);
});

test('a list that has become shorter than where one was begins anew', async () => {
  vocabulary(5);
  const list = new TagListing();
  list.height = 400;
  list.scrollTop = 500 * ROW_PX;
  await list.open({ q: '', category: undefined, sort: 'name' });
  expect(list.at(0)?.name).toBe('t0');
});
