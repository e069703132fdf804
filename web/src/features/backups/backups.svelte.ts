/** The backups of the library: list, create, test and restore. */

import type { Backup, BackupList } from '../../api/backups';
import { get, post } from '../../api/client';
import { messageOf } from '../../lib/errors';
import { formatBytes, formatCount } from '../../lib/format';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';

const AGAIN_MS = 300;

class Backups {
  state = $state.raw<BackupList | undefined>();
  problem = $state('');
  making = $state(false);
  trying = $state(false);
  /** The backup being restored; the gallery is unavailable meanwhile. */
  restoring = $state('');

  async load(): Promise<void> {
    try {
      this.state = await get('/api/v1/backups');
      this.problem = '';
      this.restoring = '';
    } catch (error) {
      if (!this.restoring) this.problem = messageOf(error);
    }
  }

  async make(): Promise<void> {
    this.making = true;
    const watch = setInterval(() => void this.load(), AGAIN_MS);
    try {
      const made = await post('/api/v1/backups');
      toasts.add(`Backup created and verified (${formatBytes(made.bytes)}).`);
    } catch (error) {
      toasts.add(messageOf(error));
    }
    clearInterval(watch);
    this.making = false;
    await this.load();
  }

  /** Tests the newest backup. */
  async tryOut(): Promise<void> {
    await this.load();
    const newest = this.state?.backups.find((backup) => backup.verified);
    if (this.problem || !newest) {
      toasts.add(this.problem || 'There is no verified backup yet. Create a backup first.');
      return;
    }
    this.trying = true;
    try {
      const done = await post('/api/v1/backups/{name}:drill', { params: { path: { name: newest.name } } });
      toasts.add(done.error ?? `Restore test passed (${formatCount(done.images, 'image')}).`);
    } catch (error) {
      toasts.add(messageOf(error));
    }
    this.trying = false;
    await this.load();
  }

  async restore(backup: Backup, when: string): Promise<void> {
    const sure = await confirmation.ask({
      title: `Restore the backup of ${when}?`,
      text: 'Your library returns to its state at that time. Later ratings, tags, collections and notes are lost. A backup of the current state is made first, so you can go back. Your image files are not changed. The gallery is unavailable for a moment and reloads automatically.',
      act: 'Restore backup',
    });
    if (!sure) return;
    try {
      await post('/api/v1/backups/{name}:restore', { params: { path: { name: backup.name } } });
      this.restoring = backup.name;
    } catch (error) {
      toasts.add(messageOf(error));
    }
  }
}

const WHYS: readonly [RegExp, string][] = [
  [/^hourly$/, 'automatic, hourly'],
  [/^asked$/, 'manual'],
  [/^before-schema-/, 'before an upgrade'],
  [/^before-restore$/, 'before a restore'],
  [/^before-rebuild$/, 'before a rebuild'],
  [/^damaged$/, 'damaged database file'],
];

export function reasonOf(backup: Backup): string {
  return WHYS.find(([pattern]) => pattern.test(backup.why))?.[1] ?? backup.why;
}

export const backups = new Backups();
