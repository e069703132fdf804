/** The event log. */

import type { Schemas } from './client';

export type LogEvent = Schemas['LogEntry'];
export type LogPage = Schemas['EventPage'];
