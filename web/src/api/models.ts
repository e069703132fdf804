/** The model registry. */

import type { Schemas } from './client';

export type ListedModel = Schemas['ModelSummary'];
export type ModelFolder = Schemas['ModelFolder'];
export type ModelList = Schemas['ModelList'];
export type ModelDetail = Schemas['ModelDetail'];
export type MadeWith = Schemas['ModelImages'];
export type ModelScan = Schemas['ModelScanReport'];
