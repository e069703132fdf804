/** A preview of a bulk edit, updated whenever the text changes while its dialog is open. */

import type { BulkPreview } from '../../api/tags';
import { messageOf } from '../../lib/errors';
import { tryScript } from './vocabulary';

export class PreviewRun {
  /** Undefined while the answer is on its way, and while the text is empty. */
  trial = $state.raw<BulkPreview | undefined>();
  problem = $state('');

  /** Create it while a component initializes. */
  constructor(script: () => string) {
    $effect(() => {
      const text = script();
      this.trial = undefined;
      if (!text) return;
      let wanted = true;
      tryScript(text).then(
        (got) => wanted && (this.trial = got),
        (error: unknown) => wanted && (this.problem = messageOf(error)),
      );
      return () => (wanted = false);
    });
  }
}
