/** Live updates: one connection for all tabs of this browser, which would run out of them otherwise. */

import type { ImportProgress, JobKind } from './client';

/** What the server tells, by kind. A `gap` says that some of it is lost. */
export interface Told {
  images: { added: number; removed: number; total: number };
  /** Which images have changed; null when they are too many to name. */
  item: { uuids: string[] | null };
  import: ImportProgress;
  jobs: { kinds: JobKind[] };
  gap: Record<string, never>;
}

type Message = { [Kind in keyof Told]: { kind: Kind; data: Told[Kind] } }[keyof Told];
export type LiveEvent = Message | { kind: 'connected' } | { kind: 'lost' };

const KINDS: readonly (keyof Told)[] = ['images', 'item', 'import', 'jobs', 'gap'];
const channel = new BroadcastChannel('mysticanvas-live');

/** Hears every event, and `connected` or `lost` when the server comes or goes. Never returns. */
export function follow(hear: (event: LiveEvent) => void): void {
  channel.onmessage = (message: MessageEvent<LiveEvent>) => hear(message.data);
  const tell = (event: LiveEvent): void => {
    hear(event);
    channel.postMessage(event);
  };
  void navigator.locks.request('mysticanvas-live', () => new Promise<never>(() => lead(tell)));
}

function lead(tell: (event: LiveEvent) => void): void {
  const source = new EventSource('/api/events');
  let seen = 0;
  source.onopen = () => tell({ kind: 'connected' });
  source.onerror = () => {
    tell({ kind: 'lost' });
    if (source.readyState === EventSource.CLOSED) setTimeout(() => lead(tell), 2_000);
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, (message) => {
      const id = Number(message.lastEventId);
      // A server that began anew counts from one again.
      if (id <= seen && kind !== 'gap' && id > seen - 1_000) return;
      seen = id;
      tell({ kind, data: JSON.parse(message.data as string) as never } as Message);
    });
  }
}
