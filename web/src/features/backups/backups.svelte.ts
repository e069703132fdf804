/** The backups of the library: what there is, making, trying out and restoring one. */

import type { Backup, BackupList } from '../../api/backups';
import { get, post } from '../../api/client';
import { messageOf } from '../../lib/errors';
import { formatBytes, formatNumber } from '../../lib/format';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';

const AGAIN_MS = 300;

class Backups {
  state = $state.raw<BackupList | undefined>();
  problem = $state('');
  making = $state(false);
  trying = $state(false);
  /** The one that is being restored: the gallery is away meanwhile. */
  restoring = $state('');

  async load(): Promise<void> {
    try {
      this.state = await get<BackupList>('/api/backups');
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
      const made = await post<Backup>('/api/backups');
      toasts.add(`A backup of ${formatBytes(made.bytes)} is made and checked.`);
    } catch (error) {
      toasts.add(messageOf(error));
    }
    clearInterval(watch);
    this.making = false;
    await this.load();
  }

  async tryOut(): Promise<void> {
    this.trying = true;
    try {
      const done = await post<{ images: number; trouble: string | null }>('/api/backups/drill');
      toasts.add(done.trouble ?? `The newest backup restores: ${formatNumber(done.images)} images, every check passed.`);
    } catch (error) {
      toasts.add(messageOf(error));
    }
    this.trying = false;
    await this.load();
  }

  async restore(backup: Backup, when: string): Promise<void> {
    const sure = await confirmation.ask({
      title: `Go back to ${when}?`,
      text: 'The library becomes as it was then: ratings, tags, collections and notes of later are not in it. A backup of how it is now is made first, so that you can come back. Your image files are not touched. The gallery is away for a moment and comes back by itself.',
      act: 'Restore this backup',
    });
    if (!sure) return;
    try {
      await post('/api/backups/restore', { name: backup.name });
      this.restoring = backup.name;
    } catch (error) {
      toasts.add(messageOf(error));
    }
  }
}

const WHYS: readonly [RegExp, string][] = [
  [/^hourly$/, 'by itself, hourly'],
  [/^asked$/, 'you asked for it'],
  [/^before-schema-/, 'before an upgrade'],
  [/^before-restore$/, 'before a restore'],
  [/^before-rebuild$/, 'before a rebuild'],
  [/^damaged$/, 'the damaged file itself'],
];

export function whyOf(backup: Backup): string {
  return WHYS.find(([pattern]) => pattern.test(backup.why))?.[1] ?? backup.why;
}

export const backups = new Backups();
