/** For tests only: a library of images, with the server's answers. Trashed images leave the list. */

import { answer, type Asked } from '../../api/answers';
import type { EditResult, Snapshot } from '../../api/client';

const PAGE = 256;

export class ServedImages {
  requests: Asked[] = [];
  private readonly favorites = new Set<string>();
  private views = 0;
  private operations = 0;
  private readonly before = new Map<number, readonly string[]>();

  constructor(
    public uuids: readonly string[],
    private readonly more: Parameters<typeof answer>[0] = {},
  ) {}

  serve(): void {
    this.requests = answer({
      '/api/v1/snapshots': (asked) => this.query(asked),
      '/api/v1/trash/snapshots': () => this.view(''),
      '/api/v1/status': { total: this.uuids.length, folders: [], error: null, first_run: false, current_import: null, app_version: '1' },
      '/api/v1/edits': (asked) => (asked.path.endsWith('/undo') ? this.undo(asked) : this.bulk(asked)),
      ...this.more,
    });
  }

  get edits(): Record<string, unknown>[] {
    return this.requests.filter(({ path }) => path === '/api/v1/edits').map(({ body }) => body);
  }

  private query({ path, params, body }: Asked): object {
    if (path === '/api/v1/snapshots') return this.view(String(body['q'] ?? ''));
    if (path.endsWith('/geometry')) return new Response(new Uint16Array(this.uuids.map(() => 1_000)).buffer);
    if (path.endsWith('/position')) {
      const index = this.uuids.indexOf(params.get('uuid') ?? '');
      return { index: index < 0 ? null : index };
    }
    if (path.endsWith(':narrow')) return this.view('');
    return this.page(Number(params.get('start')));
  }

  private view(q: string): Snapshot {
    const filters = q.startsWith('is:') ? [{ text: q, field: 'is', value: q.slice(3), negated: false }] : [];
    const total = this.uuids.length;
    return { snapshot: `view-${++this.views}`, q, total, sections: [{ day: '2026-07-01', start: 0, count: total }], filters, words: [], sort: 'newest', unknown: [] };
  }

  private page(start: number): object {
    const some = Array.from({ length: PAGE }, (_, at) => this.uuids[start + at] ?? null);
    const column = <T>(value: T): T[] => some.map(() => value);
    const empty = { thumb: column(null), prompt: column(null), explicit: column(null), color: column(0), rating: column(0), flags: column(0) };
    const favorite = some.map((uuid) => Number(uuid !== null && this.favorites.has(uuid)));
    return { start, uuid: some, favorite, width: column(64), height: column(64), timestamp: column(0), ...empty };
  }

  private bulk({ body }: Asked): EditResult {
    const ranges = (body['ranges'] ?? []) as [number, number][];
    const except = (body['except'] ?? []) as number[];
    const named = (body['uuids'] ?? []) as string[];
    const selected = this.uuids.filter((uuid, at) => named.includes(uuid) || (ranges.some(([from, end]) => from <= at && at < end) && !except.includes(at)));
    const operation = ++this.operations;
    this.before.set(operation, this.uuids);
    const set = body['set'] as { trash?: boolean; favorite?: boolean };
    if (set.favorite !== undefined) for (const uuid of selected) this.favorites[set.favorite ? 'add' : 'delete'](uuid);
    if (set.trash !== undefined) this.uuids = this.uuids.filter((uuid) => !selected.includes(uuid));
    return { operation, changed: selected.length, total: selected.length, state: 'done', error: null };
  }

  private undo({ path }: Asked): EditResult {
    const operation = Number(path.split('/').at(-2));
    this.uuids = this.before.get(operation) ?? this.uuids;
    return { operation, changed: 1, total: 1, state: 'undone', error: null };
  }
}
