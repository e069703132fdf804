/** The running import, if any. */

import type { ImportProgress } from '../../api/client';

class CurrentImport {
  progress = $state.raw<ImportProgress | null>(null);
}

export const currentImport = new CurrentImport();
