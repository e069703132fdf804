/** Trash settings and facts: number of images, retention and protected images. */

import { get, patch } from '../../api/client';
import type { Lock, TrashFacts } from '../../api/trash';

class Trash {
  facts = $state.raw<TrashFacts | undefined>();

  async load(): Promise<void> {
    this.facts = await get('/api/v1/trash', { params: { query: { limit: 1 } } }).catch(() => this.facts);
  }

  /** Applies to images trashed from then on. */
  async set(settings: { days?: number; locked?: Lock[] }): Promise<void> {
    await patch('/api/v1/trash/settings', { body: settings });
    await this.load();
  }
}

export const trash = new Trash();
