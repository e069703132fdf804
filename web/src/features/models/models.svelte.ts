/** The registry that is looked at: what there is, scanning, merging. */

import { get, post, type EditResult } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import type { ListedModel, ModelFolder, ModelList, ModelScan } from '../../api/models';
import { messageOf } from '../../lib/errors';
import { formatNumber } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { undo } from '../edits/undo';

class Models {
  list = $state.raw<ListedModel[]>([]);
  folders = $state.raw<ModelFolder[]>([]);
  loaded = $state(false);
  problem = $state('');
  scanning = $state(false);
  /** Grows when something about a model may have changed. */
  version = $state(0);

  async load(): Promise<void> {
    try {
      const got = await get<ModelList>('/api/models');
      [this.list, this.folders, this.problem] = [got.models, got.folders, ''];
      this.version++;
    } catch (error) {
      this.problem = messageOf(error, 'The models could not be listed.');
    }
    this.loaded = true;
  }

  /** Looks through folders of models; without any, through all that are known. Says what was wrong. */
  async scan(paths: string[]): Promise<string> {
    if (this.scanning) return 'A folder is being looked through already.';
    this.scanning = true;
    try {
      const scan = await post<ModelScan>('/api/models/scan', { paths });
      toasts.add(outcome(scan));
      await this.load();
      return scan.failures[0] ? `${scan.failures[0].path}: ${scan.failures[0].reason}` : '';
    } catch (error) {
      return messageOf(error);
    } finally {
      this.scanning = false;
    }
  }

  /** `other` is `keep` from now on. */
  merge(keep: ListedModel, other: ListedModel): Promise<void> {
    return toasts.during(this.runMerge(keep, other));
  }

  private async runMerge(keep: ListedModel, other: ListedModel): Promise<void> {
    if (!connection.up) {
      toasts.add('MystiCanvas does not answer: nothing was changed. Try again when it is back.');
      return;
    }
    try {
      const done = await post<EditResult>('/api/models/merge', { keep: keep.id, other: other.id });
      toasts.add(`${other.name} is ${keep.name} from now on.`, () => undo(done.operation, () => this.load()));
      await this.load();
    } catch (error) {
      toasts.add(messageOf(error));
    }
  }
}

function outcome(scan: ModelScan): string {
  const said = [`${formatNumber(scan.found)} ${scan.found === 1 ? 'model' : 'models'} found`];
  for (const [count, word] of [[scan.added, 'new'], [scan.changed, 'changed'], [scan.moved, 'moved'], [scan.missing, 'missing'], [scan.failed, 'unreadable']] as const) {
    if (count) said.push(`${formatNumber(count)} ${word}`);
  }
  return `${said.join(', ')}.`;
}

export const models = new Models();
