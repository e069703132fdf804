/** Typed client of the library's HTTP API. Every call fails with an `ApiError` that holds a sentence. */

import type { Section } from '../lib/layout';
import { connection } from './connection.svelte';

export interface Chip {
  text: string;
  field: string;
  value: string;
  negated: boolean;
}

export interface Snapshot {
  snapshot: string;
  q: string;
  total: number;
  sections: Section[];
  filters: Chip[];
  words: Chip[];
  /** The sort order, as the query language writes it. */
  sort: string;
  unknown: UnknownName[];
}

/** A value that no image has: its term, and the term with the nearest existing value. */
export interface UnknownName {
  field: string;
  value: string;
  text: string;
  suggestion: string | null;
}

export interface Page {
  start: number;
  uuid: (string | null)[];
  thumb: (string | null)[];
  color: (number | null)[];
  favorite: (number | null)[];
  rating: (number | null)[];
  flags: (number | null)[];
  width: (number | null)[];
  height: (number | null)[];
  timestamp: (number | null)[];
  prompt: (string | null)[];
  explicit: (number | null)[];
}

export interface FileFacts {
  kind: string;
  path: string;
  root: string;
  bytes: number;
  mtime_ms: number;
  width_px: number | null;
  height_px: number | null;
  format: string | null;
  blake3: string | null;
  missing: boolean;
}

export interface Detail {
  uuid: string;
  timestamp: number;
  prompt: string | null;
  negative_prompt: string | null;
  notes: string | null;
  seed: string | null;
  steps: number | null;
  cfg_scale: number | null;
  guidance: number | null;
  sampler: string | null;
  scheduler: string | null;
  denoise: number | null;
  clip_skip: number | null;
  width: number | null;
  height: number | null;
  model: string | null;
  model_hash: string | null;
  vae: string | null;
  loras: { name: string; weight: number | null; hash: string | null }[];
  tool: string | null;
  tool_version: string | null;
  params: Record<string, unknown>;
  problems: string[];
  deleted: boolean;
  is_favorite: boolean;
  rating: number;
  thumb: string | null;
  damage: string | null;
  too_large: string | null;
  /** How the file is turned: EXIF, 1 to 8. */
  orientation: number;
  /** NSFW score, 0 to 1; null for an image that was not analyzed. */
  explicit: number | null;
  files: FileFacts[];
  parameters_text: string;
}

export interface ImportProgress {
  id: string;
  state: 'listing' | 'reading' | 'done' | 'failed' | 'cancelled';
  seen: number;
  imported: number;
  changed: number;
  failed: number;
  todo: number;
  rate_per_s: number;
  eta_s: number | null;
  message: string;
}

export interface JobKind {
  kind: string;
  waiting: number;
  running: number;
  done: number;
  failed: number;
  rate_per_s: number;
  eta_s: number | null;
}

export interface Facet {
  value: string;
  count: number;
  /** The term that filters by it. */
  text: string;
}

export interface Offer {
  text: string;
  label: string;
  count: number | null;
}

/** Completions for the characters [start, end) of a query; `stands`: the text already finds something as it is. */
export interface Completion {
  start: number;
  end: number;
  stands: boolean;
  offers: Offer[];
}

/** Positions of matched words: pairs [from, to) in characters, in order. */
export interface Highlights {
  prompt: number[][];
  negative_prompt: number[][];
  notes: number[][];
}

export interface Statistics {
  total: number;
  months: Facet[];
  models: Facet[];
  loras: Facet[];
  samplers: Facet[];
  engines: Facet[];
  sizes: Facet[];
  ratings: Facet[];
  tags: Facet[];
  words: { word: string; count: number }[];
  words_of: number;
}

export interface RawEntry {
  carrier: string;
  key: string;
  text: string;
}

export interface Suggestion {
  path: string;
  label: string;
}

export type EditState = 'applying' | 'done' | 'undoing' | 'undone' | 'redoing' | 'expired';

/** The result of an edit: `changed` of `total` images differ now; `error` says why its undo was refused. */
export interface EditResult {
  operation: number;
  changed: number;
  total: number;
  state: EditState;
  error: string | null;
}

/** Problem details (RFC 9457): `detail` is a message for the user. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  position: number | null;
  suggestion: string | null;
}

export interface JobList {
  kinds: JobKind[];
  failed: FailedJob[];
  paused: string[];
}

export interface FailedJob {
  id: number;
  kind: string;
  file: string;
  error: string;
  attempts: number;
  crashes: number;
}

export interface FolderStatus {
  id: number;
  path: string;
  state: string;
  watched: boolean;
  images: number;
  missing: number;
  /** Files that could not be imported. */
  untracked: number;
  last_scan_at: number | null;
  /** Why the folder is unavailable, or what a scan asks. */
  error: string | null;
  would_miss: number;
  /** Files that are not images, by kind, as the last complete scan found them. */
  not_shown: Record<string, number>;
  /** Images that are hidden because all of their files are excluded. */
  excluded: number;
  /** Exclude patterns, in the syntax of .gitignore. */
  excludes: string[];
}

export interface Status {
  app_version: string;
  total: number;
  folders: FolderStatus[];
  /** Set while the library or its journal cannot be written. */
  error: string | null;
  /** The last warning that every page shows, with the ID of its event. */
  notice: { id: number; message: string } | null;
  current_import: ImportProgress | null;
  first_run: boolean;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly suggestion: string | null = null,
    /** Where the error is in the query, in characters. */
    readonly position: number | null = null,
  ) {
    super(message);
  }

  /** Whether something in the request is wrong, such as a search. */
  get isInvalid(): boolean {
    return this.status === 400 || this.status === 422;
  }
}

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'MystiCanvas is not responding.');
  }
  if (response.ok) return response;
  if (response.status === 401) connection.signedOut = true;
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  throw new ApiError(response.status, problem.detail ?? `The server returned status ${response.status}.`, problem.suggestion ?? null, problem.position ?? null);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send(path, signal ? { signal } : {})).json()) as T;
}

export const post = <T>(path: string, body: unknown = {}): Promise<T> => sendJson<T>('POST', path, body);
export const put = <T>(path: string, body: unknown): Promise<T> => sendJson<T>('PUT', path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => sendJson<T>('PATCH', path, body);

export async function del<T>(path: string): Promise<T> {
  return read<T>(await send(path, { method: 'DELETE' }));
}

async function sendJson<T>(method: string, path: string, body: unknown): Promise<T> {
  const response = await send(path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return read<T>(response);
}

async function read<T>(response: Response): Promise<T> {
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function geometry(snapshot: string): Promise<Uint16Array> {
  return new Uint16Array(await (await send(`/api/v1/snapshots/${snapshot}/geometry`)).arrayBuffer());
}

/** Exchanges the one-time code in the address for a cookie, and removes it from the address. */
export async function signIn(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get('t');
  if (!code) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  await post('/api/v1/session', { code }).catch(() => undefined);
}
