/** Trash settings and facts: number of images, retention and protected images. */

import { get, post } from '../../api/client';
import type { Lock, TrashFacts } from '../../api/trash';

class Trash {
  facts = $state.raw<TrashFacts | undefined>();

  async load(): Promise<void> {
    this.facts = await get<TrashFacts>('/api/trash?limit=1').catch(() => this.facts);
  }

  /** Applies to images trashed from then on. */
  async set(settings: { days?: number; locked?: Lock[] }): Promise<void> {
    await post('/api/trash/settings', settings);
    await this.load();
  }
}

export const trash = new Trash();
