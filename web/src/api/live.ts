/** Live updates (SSE): one connection shared by all tabs of this browser, because browsers limit connections per host. */

import type { Schemas } from './client';

/** The data of the server's events by kind. A `reset` means that some events were lost. docs/events.md explains those with a dot. */
export interface ServerEvents {
  'image.added': Schemas['ImagesEvent'];
  'image.changed': Schemas['ImagesEvent'];
  'image.removed': Schemas['ImagesEvent'];
  import: Schemas['ImportProgress'];
  jobs: Schemas['JobsEvent'];
  stale: Schemas['ListsEvent'];
  trouble: Schemas['ProblemEvent'];
  reset: Schemas['ResetEvent'];
}

type Message = { [Kind in keyof ServerEvents]: { kind: Kind; data: ServerEvents[Kind]; id: number } }[keyof ServerEvents];
/** A new tab asks the others for the last event ID, so that it can continue from there if it becomes the leader. */
interface Question {
  kind: 'where';
}
export type LiveEvent = Message | { kind: 'connected'; id: number } | { kind: 'lost' };

const KINDS: readonly (keyof ServerEvents)[] = ['image.added', 'image.changed', 'image.removed', 'import', 'jobs', 'stale', 'trouble', 'reset'];
const NAME = 'mysticanvas-live';
const AGAIN_MS = 1_000;
const SLOWEST_MS = 15_000;

/** Passes on every event once, and `connected` or `lost` when the connection changes. */
export class LiveUpdates {
  private readonly channel = new BroadcastChannel(NAME);
  /** The ID of the last event in any tab; 0 before the first. */
  private seen = 0;
  private leading = false;
  private wait_ms = AGAIN_MS;

  constructor(private readonly hear: (event: LiveEvent) => void) {}

  /** The first tab to get the lock leads: it has the connection and forwards events. When it closes, the next tab becomes the leader. */
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
    // A new leader continues where the previous one stopped.
    const source = new EventSource(this.seen ? `/api/v1/events/stream?since=${this.seen}` : '/api/v1/events/stream');
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

  /** IDs only grow; events with an old ID were already handled. After a reset they may start again. */
  private take(event: LiveEvent): void {
    if (event.kind === 'connected') this.seen ||= event.id;
    else if (event.kind !== 'lost') {
      if (event.kind !== 'reset' && event.id <= this.seen) return;
      this.seen = event.id;
    }
    this.hear(event);
  }
}
