/** What the server tells by itself, and what the gallery makes of it. */

import { get, type ImportProgress } from './api/client';
import { connection } from './api/connection.svelte';
import { LiveUpdates, type LiveEvent } from './api/live';
import { grid } from './gallery/grid.svelte';
import { library } from './gallery/library.svelte';
import { safe } from './gallery/safe.svelte';
import { jobs } from './jobs/jobs.svelte';
import { grouped } from './lib/words';
import { routing } from './routing.svelte';
import { panels } from './shell/panels.svelte';
import { stale } from './stale.svelte';
import { announcer } from './ui/announcer.svelte';
import { confirming } from './ui/confirming.svelte';
import { toasts } from './ui/toasts.svelte';

const ENDED: readonly ImportProgress['state'][] = ['done', 'failed', 'cancelled'];
// An import brings many at once: they are shown together.
const MERGE_SMALL_MS = 300;
const MERGE_MS = 1_000;
const SMALL = 500;

class Live {
  importing = $state.raw<ImportProgress | null>(null);
  /** Why the library cannot be written at the moment. */
  trouble = $state<string | null>(null);
  private merging: ReturnType<typeof setTimeout> | undefined;
  private readonly updates = new LiveUpdates((event) => this.hear(event));

  start(): void {
    this.updates.start();
    void this.ask();
    void jobs.load().catch(() => undefined);
    if (safe.on) void safe.load().catch(() => undefined);
  }

  private hear(event: LiveEvent): void {
    switch (event.kind) {
      case 'lost':
        connection.up = false;
        return;
      case 'connected':
        if (!connection.up) void this.reconnected();
        connection.up = true;
        return;
      case 'gap':
        stale.hear('tags', 'collections', 'counts', 'roots', 'events');
        return void library.renew();
      case 'images':
        stale.hear('counts');
        return void this.arrived();
      case 'item':
        stale.hear('counts');
        this.changed();
        return library.pages.refresh(event.data.uuids);
      case 'jobs':
        return jobs.hear(event.data.kinds);
      case 'stale':
        return this.hearStale(event.data.lists);
      case 'trouble':
        this.trouble = event.data.sentence;
        return;
      case 'import':
        return this.hearImport(event.data);
    }
  }

  private hearStale(lists: readonly string[]): void {
    if (lists.includes('tags')) stale.hear('tags', 'counts');
    if (lists.includes('settings') && safe.on) void safe.load().catch(() => undefined);
    if (lists.includes('roots')) stale.hear('roots');
    if (lists.includes('events')) stale.hear('events');
    if (lists.includes('collections')) {
      stale.hear('collections', 'counts');
      if (library.view.filters.some((chip) => chip.field === 'collection')) this.changed();
    }
  }

  private hearImport(progress: ImportProgress): void {
    const ended = ENDED.includes(progress.state);
    this.importing = ended ? null : progress;
    if (progress.state === 'failed') toasts.add(progress.message);
    if (progress.state === 'done' && progress.failed) toasts.add(`${grouped(progress.failed)} ${progress.failed === 1 ? 'file' : 'files'} could not be read.`);
    if (ended) void library.refreshStatus();
    if (ended && progress.imported) announcer.say(`${grouped(progress.imported)} images imported.`);
    else if (!ended && progress.eta_s !== null) announcer.progress('Import', 1 - progress.todo / Math.max(1, progress.seen));
  }

  /** What was missed comes by itself, or as a gap; what failed meanwhile does not. */
  private async reconnected(): Promise<void> {
    if (library.error) await library.open(library.query);
    await this.ask();
    await jobs.load().catch(() => undefined);
  }

  private async ask(): Promise<void> {
    await library.refreshStatus();
    this.trouble = library.status?.trouble ?? null;
  }

  /** Whether new images may come in without anything moving that one looks at, or that a dialog is about. */
  get open(): boolean {
    return (grid.atTop || !library.view.total) && !routing.viewing && !library.selection.count && !panels.dialog && !confirming.asked;
  }

  /** New images: taken in at once while the newest are in view, else announced. */
  async arrived(): Promise<void> {
    if (!library.view.snapshot || this.open) {
      return this.mergeSoon();
    }
    const path = `/api/queries/${library.view.snapshot}/newer`;
    library.newer = (await get<{ count: number }>(path).catch(() => ({ count: 0 }))).count;
    if (library.newer) announcer.say(`${grouped(library.newer)} new images.`);
  }

  /** Images are not what they were: some may match the search now, or not any more. Nothing moves that one looks at. */
  private changed(): void {
    const { filters, words } = library.view;
    if (filters.length + words.length) this.mergeSoon();
  }

  private mergeSoon(): void {
    this.merging ??= setTimeout(() => void this.merge(), library.view.total < SMALL ? MERGE_SMALL_MS : MERGE_MS);
  }

  private async merge(): Promise<void> {
    this.merging = undefined;
    // Meanwhile one may have scrolled on.
    if (library.view.snapshot && !this.open) return this.arrived();
    await library.renew();
  }
}

export const live = new Live();
