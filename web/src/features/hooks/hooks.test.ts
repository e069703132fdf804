import { afterEach, expect, test, vi } from 'vitest';

import type { Hook } from '../../api/hooks';
import { hooks, targetOf } from './hooks.svelte';

const HOOK: Hook = { id: '0a1b', event: 'image.added', command: ['/usr/bin/python3', 'react.py'], url: null, enabled: true, created_at: 0 };
afterEach(() => vi.unstubAllGlobals());

/** A server with one hook; `status` is that of changes. */
function serve(status: number): [string, unknown][] {
  const asked: [string, unknown][] = [];
  let enabled = true;
  const answer = (path: string, init: RequestInit = {}): Promise<Response> => {
    asked.push([`${init.method ?? 'GET'} ${path}`, init.body ? JSON.parse(init.body as string) : undefined]);
    if (init.method === 'PATCH' && status !== 200) return Promise.resolve(Response.json({ error: 'There is no hook 0a1b.' }, { status }));
    if (init.method === 'PATCH') enabled = (JSON.parse(init.body as string) as { enabled: boolean }).enabled;
    return Promise.resolve(Response.json(init.method === 'PATCH' ? { ...HOOK, enabled } : { hooks: [{ ...HOOK, enabled }], problem: null, file: '/library/hooks.json' }));
  };
  vi.stubGlobal('fetch', answer);
  return asked;
}

test('a hook is turned off, and shown as the server then has it', async () => {
  const asked = serve(200);
  await hooks.turn(HOOK, false);
  expect(asked).toEqual([['PATCH /api/v1/hooks/0a1b', { enabled: false }], ['GET /api/v1/hooks', undefined]]);
  expect(hooks.list?.hooks[0]?.enabled).toBe(false);
});

test('a refusal is shown, and the hook as it is', async () => {
  serve(404);
  await hooks.turn(HOOK, false);
  expect([hooks.problem, hooks.list?.hooks[0]?.enabled]).toEqual(['There is no hook 0a1b.', true]);
});

test('a hook is named by what it calls', () => {
  expect([targetOf(HOOK), targetOf({ ...HOOK, command: null, url: 'http://127.0.0.1:9/x' })]).toEqual(['/usr/bin/python3 react.py', 'http://127.0.0.1:9/x']);
});
