/** The model registry: list, scan and merge. */

import { get, post, type EditResult } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import type { ListedModel, ModelFolder, ModelList, ModelScan } from '../../api/models';
import { messageOf } from '../../lib/errors';
import { formatCount, formatNumber } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { undo } from '../edits/undo';

class Models {
  list = $state.raw<ListedModel[]>([]);
  folders = $state.raw<ModelFolder[]>([]);
  loaded = $state(false);
  problem = $state('');
  scanning = $state(false);
  /** Grows when a model may have changed. */
  version = $state(0);

  async load(): Promise<void> {
    try {
      const got = await get('/api/v1/models');
      [this.list, this.folders, this.problem] = [got.models, got.folders, ''];
      this.version++;
    } catch (error) {
      this.problem = messageOf(error, 'Could not load the models.');
    }
    this.loaded = true;
  }

  /** Scans model folders; all known ones if none is given. Returns the error. */
  async scan(paths: string[]): Promise<string> {
    if (this.scanning) return 'A model scan is already running. Wait until it finishes.';
    this.scanning = true;
    try {
      const scan = await post('/api/v1/models:scan', { body: { paths } });
      toasts.add(outcome(scan));
      await this.load();
      return scan.failures[0] ? `${scan.failures[0].path}: ${scan.failures[0].reason}` : '';
    } catch (error) {
      return messageOf(error);
    } finally {
      this.scanning = false;
    }
  }

  /** Merges `other` into `keep`. */
  merge(keep: ListedModel, other: ListedModel): Promise<void> {
    return toasts.during(this.runMerge(keep, other));
  }

  private async runMerge(keep: ListedModel, other: ListedModel): Promise<void> {
    if (!connection.up) {
      toasts.add('MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.');
      return;
    }
    try {
      const done = await post('/api/v1/models:merge', { body: { keep: keep.id, other: other.id } });
      toasts.add(`${other.name} merged into ${keep.name}.`, () => undo(done.operation, () => this.load()));
      await this.load();
    } catch (error) {
      toasts.add(messageOf(error));
    }
  }
}

function outcome(scan: ModelScan): string {
  const parts = [`${formatCount(scan.found, 'model')} found`];
  for (const [count, word] of [[scan.added, 'new'], [scan.changed, 'changed'], [scan.moved, 'moved'], [scan.missing, 'missing'], [scan.failed, 'unreadable']] as const) {
    if (count) parts.push(`${formatNumber(count)} ${word}`);
  }
  return `${parts.join(', ')}.`;
}

export const models = new Models();
