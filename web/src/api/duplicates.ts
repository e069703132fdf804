/** Groups of duplicate images. */

import type { Schemas } from './client';

export type DuplicateKind = Schemas['DuplicateKind'];
export type DuplicateImage = Schemas['GroupImage'];
export type DuplicateGroup = Schemas['DuplicateGroup'];
export type DuplicatePage = Schemas['DuplicatePage'];
