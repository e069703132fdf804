/** Trash. */

import type { Schemas } from './client';

export type Lock = NonNullable<Schemas['TrashSettingsRequest']['locked']>[number];
export type TrashFacts = Schemas['TrashPage'];
