/** Handles the server's live updates. */

import type { ImportProgress } from '../api/client';
import { connection } from '../api/connection.svelte';
import { invalidation } from '../api/invalidation.svelte';
import { LiveUpdates, type LiveEvent } from '../api/live';
import { library } from '../features/gallery/library.svelte';
import { newImages } from '../features/gallery/newImages.svelte';
import { currentImport } from '../features/importing/currentImport.svelte';
import { jobs } from '../features/jobs/jobs.svelte';
import { blur } from '../features/vision/blur.svelte';
import { formatCount } from '../lib/format';
import { announcer } from '../ui/announcer.svelte';
import { toasts } from '../ui/toasts.svelte';

const ENDED: readonly ImportProgress['state'][] = ['done', 'failed', 'cancelled'];

class Live {
  /** Why the library or its journal cannot be written. */
  problem = $state<string | null>(null);
  private readonly updates = new LiveUpdates((event) => this.hear(event));

  start(): void {
    this.updates.start();
    void this.ask();
    void jobs.load().catch(() => undefined);
    if (blur.on) void blur.load().catch(() => undefined);
  }

  private hear(event: LiveEvent): void {
    switch (event.kind) {
      case 'lost':
        connection.up = false;
        return;
      case 'connected':
        if (!connection.up) void this.recover();
        connection.up = true;
        return;
      case 'reset':
        invalidation.mark('tags', 'collections', 'counts', 'roots', 'events');
        return void library.renew();
      case 'image.added':
      case 'image.removed':
        invalidation.mark('counts');
        return void newImages.arrive();
      case 'image.changed':
        invalidation.mark('counts');
        newImages.recheck();
        return library.pages.refresh(event.data.uuids);
      case 'jobs':
        return jobs.hear(event.data.kinds);
      case 'stale':
        return this.invalidate(event.data.lists);
      case 'trouble':
        this.problem = event.data.sentence;
        return;
      case 'import':
        return this.hearImport(event.data);
    }
  }

  private invalidate(lists: readonly string[]): void {
    if (lists.includes('tags')) invalidation.mark('tags', 'counts');
    if (lists.includes('settings') && blur.on) void blur.load().catch(() => undefined);
    if (lists.includes('roots')) invalidation.mark('roots');
    if (lists.includes('events')) {
      invalidation.mark('events');
      void library.refreshStatus();
    }
    if (lists.includes('collections')) {
      invalidation.mark('collections', 'counts');
      if (library.view.filters.some((chip) => chip.field === 'collection')) newImages.recheck();
    }
  }

  private hearImport(progress: ImportProgress): void {
    const ended = ENDED.includes(progress.state);
    currentImport.progress = ended ? null : progress;
    if (progress.state === 'failed') toasts.add(progress.message);
    if (progress.state === 'done' && progress.failed) toasts.add(`${formatCount(progress.failed, 'file')} could not be read.`);
    if (ended) void library.refreshStatus();
    if (ended && progress.imported) announcer.say(`Imported ${formatCount(progress.imported, 'image')}.`);
    else if (!ended && progress.eta_s !== null) announcer.progress('Import', 1 - progress.todo / Math.max(1, progress.seen));
  }

  /** Missed events come again, or as a reset; requests that failed meanwhile do not. */
  private async recover(): Promise<void> {
    if (library.error) await library.open(library.query);
    await this.ask();
    await jobs.load().catch(() => undefined);
  }

  private async ask(): Promise<void> {
    await library.refreshStatus();
    this.problem = library.status?.error ?? null;
  }
}

export const live = new Live();
