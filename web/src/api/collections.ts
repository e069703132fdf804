/** Manual and smart collections. */

import type { Schemas } from './client';

export type Collection = Schemas['CollectionDetail'];
