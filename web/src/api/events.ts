/** The event log, as the server reports it. */

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
  /** Asks for the next page. */
  before: number | null;
}
