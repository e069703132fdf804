/** Auto-tagging settings and runs. */

import type { Schemas } from './client';

export type LookAt = Schemas['LookAt'];
export type AutotagState = Schemas['AutotagState'];
export type AutotagRun = Schemas['AutotagRun'];
export type Tried = Schemas['AutotagTrial'];
