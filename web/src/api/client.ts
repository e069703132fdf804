/** Client of the library's HTTP API, whose types come from its OpenAPI document. Every call fails with an `ApiError` that holds a sentence. */

import createClient, { type FetchOptions } from 'openapi-fetch';
import type { FilterKeys, HttpMethod, PathsWithMethod, RequiredKeysOf, ResponseObjectMap, SuccessResponse } from 'openapi-typescript-helpers';

import type { components, paths } from '../generated/api';
import { connection } from './connection.svelte';

export type Schemas = components['schemas'];
export type Chip = Schemas['QueryTerm'];
/** The gallery works with the text of a query, not with its tree. */
export type Snapshot = Omit<Schemas['SearchSnapshot'], 'query'>;
export type UnknownName = Schemas['UnknownName'];
export type Page = Schemas['SnapshotItems'];
export type Detail = Schemas['ImageDetail'];
export type ImportProgress = Schemas['ImportProgress'];
export type JobKind = Schemas['KindProgress'];
export type Facet = Schemas['FacetValue'];
export type Offer = Schemas['Offer'];
export type Completion = Schemas['Completion'];
export type Highlights = Schemas['Highlights'];
export type Statistics = Schemas['Statistics'];
export type RawEntry = Schemas['TextEntry'];
export type Suggestion = Schemas['FolderSuggestion'];
export type EditState = Schemas['EditState'];
export type EditResult = Schemas['EditResult'];
export type Problem = Schemas['Problem'];
export type JobList = Schemas['JobSummary'];
export type FailedJob = Schemas['FailedJob'];
export type Status = Schemas['LibraryStatus'];

type Operation<Path extends keyof paths, Method extends HttpMethod> = FilterKeys<paths[Path], Method>;
type Init<Path extends keyof paths, Method extends HttpMethod> = FetchOptions<Operation<Path, Method>>;
/** What a call takes after the path: nothing is required if the operation requires nothing. */
type Rest<Path extends keyof paths, Method extends HttpMethod> = RequiredKeysOf<Init<Path, Method>> extends never ? [init?: Init<Path, Method>] : [init: Init<Path, Method>];
type Content<Path extends keyof paths, Method extends HttpMethod> = ResponseObjectMap<Operation<Path, Method>> extends infer Responses extends Record<number, unknown> ? SuccessResponse<Responses> : never;
/** What the server replies; undefined for status 204. */
export type Reply<Path extends keyof paths, Method extends HttpMethod> = [Content<Path, Method>] extends [never] ? undefined : Content<Path, Method>;
/** The body of a request. */
export type Body<Path extends keyof paths, Method extends HttpMethod> = NonNullable<Init<Path, Method>['body']>;
/** The parameters of an address. */
export type Query<Path extends keyof paths, Method extends HttpMethod> = Operation<Path, Method> extends { parameters: { query?: infer Given } } ? NonNullable<Given> : never;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly suggestion: string | null = null,
    /** Where the error is in the query, in characters. */
    readonly position: number | null = null,
    /** The field of the request that must be true, if the user has to confirm it. */
    readonly confirm: string | null = null,
  ) {
    super(message);
  }

  /** Whether something in the request is wrong, such as a search. */
  get isInvalid(): boolean {
    return this.status === 400 || this.status === 422;
  }
}

const http = createClient<paths>({ baseUrl: location.origin, fetch: reach });

async function reach(request: Request): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'MystiCanvas is not responding.');
  }
  if (response.ok) return response;
  if (response.status === 401) connection.signedOut = true;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  throw new ApiError(response.status, problem.detail ?? `The server returned status ${response.status}.`, problem.suggestion ?? null, problem.position ?? null, problem.confirm ?? null);
}

type Send<Method extends HttpMethod> = <Path extends PathsWithMethod<paths, Method>>(path: Path, ...rest: Rest<Path, Method>) => Promise<Reply<Path, Method>>;
type Untyped = (method: HttpMethod, path: string, init: object) => Promise<{ data?: unknown }>;

function send<Method extends HttpMethod>(method: Method, always?: object): Send<Method> {
  return async (path, ...[init]) => (await (http.request as Untyped)(method, path as string, { ...always, ...init })).data as never;
}

export const get = send('get');
// The server accepts a POST or a PATCH only with a body.
export const post = send('post', { body: {} });
export const put = send('put');
export const patch = send('patch');
export const del = send('delete');

/** Aspect ratios of all images of a snapshot, in thousandths. */
export async function geometry(token: string): Promise<Uint16Array> {
  const { data } = await http.GET('/api/v1/snapshots/{token}/geometry', { params: { path: { token } }, parseAs: 'arrayBuffer' });
  return new Uint16Array(data ?? new ArrayBuffer());
}

/** Exchanges the one-time code in the address for a cookie, and removes it from the address. */
export async function signIn(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get('t');
  if (!code) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  await post('/api/v1/session', { body: { code } }).catch(() => undefined);
}
