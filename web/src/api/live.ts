/** Live updates: one connection for all tabs of this browser, which would run out of them otherwise. */

import type { ImportProgress, JobKind } from './client';

/** What the server tells, by kind. A `gap` says that some of it is lost. */
export interface ServerEvents {
  images: { added: number; removed: number; total: number };
  /** Which images have changed; null when they are too many to name. */
  item: { uuids: string[] | null };
  import: ImportProgress;
  jobs: { kinds: JobKind[] };
  /** Lists of tags, collections and the like that have other members now. */
  stale: { lists: string[] };
  /** The library cannot be written, or it can again. */
  trouble: { sentence: string | null };
  gap: Record<string, never>;
}

type Message = { [Kind in keyof ServerEvents]: { kind: Kind; data: ServerEvents[Kind]; id: number } }[keyof ServerEvents];
/** A new tab asks where the others are, to go on from there if it must lead. */
interface Question {
  kind: 'where';
}
export type LiveEvent = Message | { kind: 'connected'; id: number } | { kind: 'lost' };

const KINDS: readonly (keyof ServerEvents)[] = ['images', 'item', 'import', 'jobs', 'stale', 'trouble', 'gap'];
const NAME = 'mysticanvas-live';
const AGAIN_MS = 1_000;
const SLOWEST_MS = 15_000;

/** Hears every event once, and `connected` or `lost` when the server comes or goes. */
export class LiveUpdates {
  private readonly channel = new BroadcastChannel(NAME);
  /** The number of the last event, whichever tab received it; 0 before the first. */
  private seen = 0;
  private leading = false;
  private wait_ms = AGAIN_MS;

  constructor(private readonly hear: (event: LiveEvent) => void) {}

  /** The first tab that asks leads: it has the connection and tells the others. The next one takes over. */
  start(): void {
    this.channel.onmessage = (message: MessageEvent<LiveEvent | Question>) => {
      if (message.data.kind !== 'where') this.take(message.data);
      else if (this.leading) this.channel.postMessage({ kind: 'connected', id: this.seen } satisfies LiveEvent);
    };
    this.channel.postMessage({ kind: 'where' } satisfies Question);
    void navigator.locks.request(NAME, () => new Promise<never>(() => this.lead()));
  }

  private lead(): void {
    this.leading = true;
    // A new leader goes on where the last one stopped.
    const source = new EventSource(this.seen ? `/api/events?since=${this.seen}` : '/api/events');
    source.addEventListener('hello', (message) => {
      this.wait_ms = AGAIN_MS;
      this.tell({ kind: 'connected', id: Number(message.data) });
    });
    source.onerror = () => {
      source.close();
      this.tell({ kind: 'lost' });
      setTimeout(() => this.lead(), this.wait_ms);
      this.wait_ms = Math.min(SLOWEST_MS, this.wait_ms * 1.5);
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        const data = JSON.parse(message.data as string) as never;
        this.tell({ kind, data, id: Number(message.lastEventId) });
      });
    }
  }

  private tell(event: LiveEvent): void {
    this.channel.postMessage(event);
    this.take(event);
  }

  /** Numbers only grow; what comes with an old one has been heard. After a gap they may begin anew. */
  private take(event: LiveEvent): void {
    if (event.kind === 'connected') this.seen ||= event.id;
    else if (event.kind !== 'lost') {
      if (event.kind !== 'gap' && event.id <= this.seen) return;
      this.seen = event.id;
    }
    this.hear(event);
  }
}
