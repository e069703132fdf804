/** Hooks. They are added on the command line only. */

import type { Schemas } from './client';

export type Hook = Schemas['HookView'];
export type HookList = Schemas['HookList'];
