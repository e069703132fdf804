/** Live updates: one connection for all tabs of this browser, which would run out of them otherwise. */

export interface LiveEvent {
  kind: string;
  data: unknown;
}

const KINDS = ['images', 'item', 'import', 'jobs', 'gap'];
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
  source.onopen = () => tell({ kind: 'connected', data: null });
  source.onerror = () => {
    tell({ kind: 'lost', data: null });
    if (source.readyState === EventSource.CLOSED) setTimeout(() => lead(tell), 2_000);
  };
  for (const kind of KINDS) {
    source.addEventListener(kind, (message) => {
      const id = Number(message.lastEventId);
      // A server that began anew counts from one again.
      if (id <= seen && kind !== 'gap' && id > seen - 1_000) return;
      seen = id;
      tell({ kind, data: JSON.parse(message.data as string) as unknown });
    });
  }
}
