/** The event log, as the server sends it. */

export interface LogEvent {
  id: number;
  at: number;
  level: 'info' | 'warning' | 'error';
  kind: string;
  subject: string | null;
  data: Record<string, unknown>;
}

export interface LogPage {
  events: LogEvent[];
  /** The `before` of the next page. */
  next: number | null;
}
