/** For tests only: fakes the server's answers and records the requests. */

import { vi } from 'vitest';

export interface Asked {
  path: string;
  params: URLSearchParams;
  body: Record<string, unknown>;
}

type Answer = Response | object | null | ((asked: Asked) => Response | object | null | Promise<Response | object>);

/** Answers each request with the longest matching path prefix. Returns the requests as they come. */
export function answer(answers: Readonly<Record<string, Answer>>): Asked[] {
  const requests: Asked[] = [];
  const known = Object.keys(answers).sort((one, other) => other.length - one.length);
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, searchParams } = new URL(request.url);
    const asked = { path: pathname, params: searchParams, body: JSON.parse((await request.text()) || '{}') as Record<string, unknown> };
    requests.push(asked);
    const found = answers[known.find((path) => pathname.startsWith(path)) ?? ''];
    if (found === undefined) return refusal(404, `No answer to ${pathname}.`);
    const got = typeof found === 'function' ? await found(asked) : found;
    return got instanceof Response ? got.clone() : got === null ? new Response(null, { status: 204 }) : Response.json(got);
  });
  return requests;
}

export function refusal(status: number, detail: string): Response {
  return Response.json({ detail }, { status });
}

/** The requested paths, without read-only ones. */
export function pathsOf(requests: readonly Asked[], ...left: string[]): string[] {
  return requests.map(({ path }) => path).filter((path) => !left.some((one) => path.startsWith(one)));
}
