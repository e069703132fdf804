// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { answer, refusal } from './answers';
import { ApiError, geometry, get, post, signIn } from './client';
import { connection } from './connection.svelte';

beforeEach(() => void (connection.signedOut = false));
afterEach(() => void vi.unstubAllGlobals());

test('what the server refuses is an error with its sentence, its place and its suggestion', async () => {
  answer({ '/api/v1/snapshots': Response.json({ detail: 'No such field.', position: 4, suggestion: 'model:' }, { status: 400 }) });
  const error = await post('/api/v1/snapshots', { body: { q: 'fox modle:x' } }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 400, message: 'No such field.', position: 4, suggestion: 'model:' });
});

test('a refusal without a sentence says its number', async () => {
  answer({ '/api/v1/status': new Response('<html>', { status: 502 }) });
  await expect(get('/api/v1/status')).rejects.toMatchObject({ status: 502, message: 'The server returned status 502.', position: null });
});

test('no server is an error of status 0; what was stopped stays an abort', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  await expect(get('/api/v1/status')).rejects.toMatchObject({ status: 0, message: 'MystiCanvas is not responding.' });
  vi.stubGlobal('fetch', () => Promise.reject(new DOMException('stopped', 'AbortError')));
  await expect(get('/api/v1/status')).rejects.toMatchObject({ name: 'AbortError' });
});

test('a server that no longer knows the page signs it out', async () => {
  answer({ '/api/v1/status': refusal(401, 'Sign in first.') });
  await expect(get('/api/v1/status')).rejects.toThrow('Sign in first.');
  expect(connection.signedOut).toBe(true);
});

test('a body goes as JSON; an empty answer is undefined', async () => {
  const asked = answer({ '/api/v1/session/token': null });
  expect(await post('/api/v1/session/token', { body: { confirm: true } })).toBeUndefined();
  expect(asked[0]?.body).toEqual({ confirm: true });
});

test('the shapes of images come as sixteen bits each', async () => {
  answer({ '/api/v1/snapshots/v1/geometry': new Response(new Uint16Array([667, 1_500]).buffer) });
  expect([...(await geometry('v1'))]).toEqual([667, 1_500]);
});

test('a code in the address is traded for a session, and goes from the address', async () => {
  const asked = answer({ '/api/v1/session': null });
  location.hash = '#t=abc';
  await signIn();
  expect([asked.map(({ path, body }) => [path, body]), location.hash]).toEqual([[['/api/v1/session', { code: 'abc' }]], '']);
  await signIn();
  expect(asked).toHaveLength(1);
});

/** Never called: what the compiler must refuse. */
export function refused(): unknown {
  return [
    // @ts-expect-error There is no such path.
    get('/api/v1/x'),
    // @ts-expect-error The path has a parameter.
    get('/api/v1/images/{uuid}'),
    // @ts-expect-error The parameter has another name.
    get('/api/v1/images/{uuid}', { params: { path: { id: '1' } } }),
    // @ts-expect-error The path knows no such method.
    post('/api/v1/status'),
    // @ts-expect-error The body has no such field.
    post('/api/v1/snapshots', { body: { query: 'fox' } }),
    // @ts-expect-error The field has another type.
    post('/api/v1/snapshots', { body: { q: 1 } }),
    // @ts-expect-error The reply has no such field.
    get('/api/v1/status').then(({ roots }) => roots),
    // @ts-expect-error Status 204 has no reply.
    post('/api/v1/session/token', { body: { confirm: true } }).then(({ token }) => token),
  ];
}
