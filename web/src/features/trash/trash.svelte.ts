/** How the Trash is kept: how much is in it, for how long what comes in stays, and what cannot be trashed. */

import { get, post } from '../../api/client';
import type { Lock, TrashFacts } from '../../api/trash';

class Trash {
  facts = $state.raw<TrashFacts | undefined>();

  async load(): Promise<void> {
    this.facts = await get<TrashFacts>('/api/trash?limit=1').catch(() => this.facts);
  }

  /** Counts for what is trashed from then on. */
  async set(settings: { days?: number; locked?: Lock[] }): Promise<void> {
    await post('/api/trash/settings', settings);
    await this.load();
  }
}

export const trash = new Trash();
