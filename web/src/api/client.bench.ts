/** What a page of images costs through the client, beside the bare request and JSON: npm run bench. */

import { bench, describe, vi } from 'vitest';

import { get, type Page } from './client';

const PATH = '/api/v1/snapshots/{token}/items';
const ADDRESS = `${location.origin}/api/v1/snapshots/view/items`;

function pageOf(count: number): string {
  const column = <T>(value: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => value(at));
  const zeros = { color: column((at) => at * 9_973), favorite: column(() => 0), rating: column((at) => at % 6), flags: column(() => 0) };
  const sizes = { width: column(() => 832), height: column(() => 1_216), timestamp: column((at) => 1_787_400_000_000 + at), explicit: column(() => 0.0123) };
  const texts = { uuid: column((at) => `0b7c2d4e-5f60-4a1b-9c3d-${String(at).padStart(12, '0')}`), thumb: column((at) => String(at).padStart(64, '0')), prompt: column((at) => `a red fox in the snow, film grain, ${at}`) };
  return JSON.stringify({ start: 0, ...texts, ...zeros, ...sizes } satisfies Page);
}

describe.each([100, 10_000])('a page of %i images', (count) => {
  const text = pageOf(count);
  const headers = { 'content-type': 'application/json', 'content-length': String(text.length) };
  const answer = (): Promise<Response> => Promise.resolve(new Response(text, { headers }));
  const setup = (): void => void vi.stubGlobal('fetch', answer);

  bench('a bare request', async () => void (await (await fetch(`${ADDRESS}?start=0&count=${count}`)).json()), { setup });
  bench('the client', async () => void (await get(PATH, { params: { path: { token: 'view' }, query: { start: 0, count } } })), { setup });
});
