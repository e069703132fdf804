import { afterEach, expect, test, vi } from 'vitest';

import { refusal } from '../../api/answers';
import type { Hook } from '../../api/hooks';
import { hooks, targetOf } from './hooks.svelte';

const HOOK: Hook = { id: '0a1b', event: 'image.added', command: ['/usr/bin/python3', 'react.py'], url: null, enabled: true, created_at: 0 };
afterEach(() => vi.unstubAllGlobals());

/** A server with one hook; `status` is that of changes. */
function serve(status: number): [string, unknown][] {
  const asked: [string, unknown][] = [];
  let enabled = true;
  const answer = async (request: Request): Promise<Response> => {
    const changing = request.method === 'PATCH';
    const body = changing ? ((await request.json()) as { enabled: boolean }) : undefined;
    asked.push([`${request.method} ${new URL(request.url).pathname}`, body]);
    if (changing && status !== 200) return refusal(status, 'There is no hook 0a1b.');
    enabled = body?.enabled ?? enabled;
    return Response.json(changing ? { ...HOOK, enabled } : { hooks: [{ ...HOOK, enabled }], problem: null, file: '/library/hooks.json' });
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
