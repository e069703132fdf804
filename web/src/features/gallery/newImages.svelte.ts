/** Images that arrive or change while the list is open: nothing moves that the user is looking at. */

import { get } from '../../api/client';
import { formatCount } from '../../lib/format';
import { announcer } from '../../ui/announcer.svelte';
import { confirmation } from '../../ui/confirmation.svelte';
import { grid } from './grid.svelte';
import { library } from './library.svelte';
import { panels } from './panels.svelte';
import { routing } from './routing.svelte';

// An import brings many at once: they are shown together.
const MERGE_SMALL_MS = 300;
const MERGE_MS = 1_000;
const SMALL = 500;

class NewImages {
  private merging: ReturnType<typeof setTimeout> | undefined;

  /** Whether they can be shown without moving what is in view or what a dialog is about. */
  get mayEnter(): boolean {
    const busy = routing.viewing || library.selection.count > 0 || panels.dialog || confirmation.asked;
    return (grid.atTop || !library.view.total) && !busy;
  }

  /** Merged at once while the newest images are in view, else announced. */
  async arrive(): Promise<void> {
    if (!library.view.snapshot || this.mayEnter) {
      return this.mergeSoon();
    }
    const newer = get('/api/v1/snapshots/{token}/newer', { params: { path: { token: library.view.snapshot } } });
    library.newer = (await newer.catch(() => ({ count: 0 }))).count;
    if (library.newer) announcer.say(`${formatCount(library.newer, 'new image')}`);
  }

  /** Images changed: some may match the search now, or no longer. */
  recheck(): void {
    const { filters, words } = library.view;
    if (filters.length + words.length) this.mergeSoon();
  }

  private mergeSoon(): void {
    this.merging ??= setTimeout(() => void this.merge(), library.view.total < SMALL ? MERGE_SMALL_MS : MERGE_MS);
  }

  private async merge(): Promise<void> {
    this.merging = undefined;
    // The user may have scrolled meanwhile.
    if (library.view.snapshot && !this.mayEnter) return this.arrive();
    await library.renew();
  }
}

export const newImages = new NewImages();
