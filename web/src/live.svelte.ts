/** What the server tells by itself, and what the gallery makes of it. */

import { get, type ImportProgress } from './api/client';
import { follow, type LiveEvent } from './api/live';
import { grid } from './gallery/grid.svelte';
import { library } from './gallery/library.svelte';
import { jobs } from './jobs/jobs.svelte';
import { grouped } from './lib/words';
import { routing } from './routing.svelte';
import { toasts } from './ui/toasts.svelte';

const ENDED: readonly ImportProgress['state'][] = ['done', 'failed', 'cancelled'];
// An import brings many at once: they are shown together.
const MERGE_SMALL_MS = 300;
const MERGE_MS = 1_000;

class Live {
  connected = $state(true);
  importing = $state<ImportProgress | null>(null);
  private merging: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    follow((event) => this.hear(event));
    void jobs.load().catch(() => undefined);
  }

  private hear(event: LiveEvent): void {
    if (event.kind === 'lost') this.connected = false;
    else if (event.kind === 'connected' || event.kind === 'gap') {
      if (!this.connected || event.kind === 'gap') void this.catchUp();
      this.connected = true;
    } else if (event.kind === 'images') void this.arrived();
    else if (event.kind === 'item') library.pages.refresh(event.data.uuids);
    else if (event.kind === 'jobs') jobs.hear(event.data.kinds);
    else if (event.kind === 'import') this.hearImport(event.data);
  }

  private hearImport(progress: ImportProgress): void {
    this.importing = ENDED.includes(progress.state) ? null : progress;
    if (progress.state === 'failed') toasts.add(progress.message);
    if (progress.state === 'done' && progress.failed) toasts.add(`${grouped(progress.failed)} files could not be read.`);
  }

  private async catchUp(): Promise<void> {
    if (library.error?.status === 0 || library.error?.status === 401) void library.open(library.query);
    library.pages.refresh(null);
    await this.arrived();
    void jobs.load().catch(() => undefined);
  }

  /** New images: taken in at once while the newest are in view, else announced. */
  private async arrived(): Promise<void> {
    if (!library.view.snapshot || (grid.atTop && !routing.viewing && !library.selection.count)) {
      clearTimeout(this.merging);
      const wait_ms = library.view.total < 500 ? MERGE_SMALL_MS : MERGE_MS;
      this.merging = setTimeout(() => void this.merge(), wait_ms);
      return;
    }
    const path = `/api/queries/${library.view.snapshot}/newer`;
    library.newer = (await get<{ count: number }>(path).catch(() => ({ count: 0 }))).count;
  }

  private async merge(): Promise<void> {
    const focused = library.focused > 0 ? library.uuidOf(library.focused) : undefined;
    await library.open(library.query, focused);
  }
}

export const live = new Live();
