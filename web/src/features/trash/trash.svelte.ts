/** Trash settings and facts: number of images, retention and protected images. */

import { get, patch, type Schemas } from '../../api/client';
import type { TrashFacts } from '../../api/trash';

class Trash {
  facts = $state.raw<TrashFacts | undefined>();

  async load(): Promise<void> {
    this.facts = await get('/api/v1/trash', { params: { query: { limit: 1 } } }).catch(() => this.facts);
  }

  /** Applies to images trashed from then on. */
  async set(settings: Schemas['TrashSettingsRequest']): Promise<void> {
    await patch('/api/v1/trash/settings', { body: settings });
    await this.load();
  }
}

export const trash = new Trash();
