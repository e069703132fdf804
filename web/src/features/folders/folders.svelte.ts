/** The folders of the library: their states, scans and missing files. */

import { type ImportProgress, type Schemas, del, get, post, put } from '../../api/client';
import type { ExcludePreview, Folder, FolderList, LostFiles, RemovedFolder, Scan, ScanReport } from '../../api/folders';
import { messageOf } from '../../lib/errors';
import { formatCount } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { runWithProgress, undo } from '../edits/undo';
import { library } from '../gallery/library.svelte';
import { describeExcluded, describeScan } from './labels';

const WAIT_S = 1;

class Folders {
  list = $state.raw<Folder[]>([]);
  removed = $state.raw<RemovedFolder[]>([]);
  loaded = $state(false);
  problem = $state('');
  /** Running scans by folder ID. */
  scans = $state.raw<ReadonlyMap<number, ImportProgress | null>>(new Map());

  async load(): Promise<void> {
    try {
      const got = await get('/api/v1/folders');
      [this.list, this.removed, this.problem] = [got.folders, got.removed, ''];
    } catch (error) {
      this.problem = messageOf(error);
    }
    this.loaded = true;
  }

  /** Returns the error; "" when the folder is being imported. */
  async add(path: string): Promise<string> {
    try {
      const { id } = await post('/api/v1/imports', { body: { paths: [path] } });
      await this.load();
      void library.refreshStatus();
      void this.settle(id);
      return '';
    } catch (error) {
      return messageOf(error);
    }
  }

  async remove(folder: Folder): Promise<void> {
    await this.run(async () => {
      await del('/api/v1/folders/{folder_id}', { params: { path: { folder_id: folder.id } } });
      toasts.add(`Removed ${folder.path}. Its images stay in the library.`);
      void library.refreshStatus();
    });
  }

  async scan(folder: Folder, accept = false): Promise<void> {
    const report = await this.follow(folder, { accept });
    if (report) toasts.add(report.offline[0] ? withoutCliHint(report.offline[0]) : describeScan(report));
    await this.load();
    void library.refreshStatus();
  }

  previewScan(folder: Folder): Promise<ScanReport | undefined> {
    return this.follow(folder, { dry_run: true });
  }

  missing(folder: Folder, after: number): Promise<LostFiles> {
    return get('/api/v1/folders/{folder_id}/missing', { params: { path: { folder_id: folder.id }, query: { after } } });
  }

  /** Returns the error; "" when the file was located. */
  async locate(file: number, path: string): Promise<string> {
    try {
      await post('/api/v1/missing-files/{file_id}:locate', { params: { path: { file_id: file } }, body: { path } });
      toasts.add('File located.');
      await this.load();
      return '';
    } catch (error) {
      return messageOf(error);
    }
  }

  async forget(asked: Schemas['ForgetRequest']): Promise<void> {
    await this.run(async () => {
      const { copies, edit } = await post('/api/v1/missing-files:forget', { body: asked });
      if (edit) toasts.add(`${formatCount(edit.changed, 'image')} moved to Trash.`, () => undo(edit.operation, () => this.load()));
      else toasts.add(`Removed ${formatCount(copies, 'missing file')} from the library. The images have other files.`);
    });
  }

  previewExcludes(folder: Folder, patterns: string[]): Promise<ExcludePreview> {
    return post('/api/v1/folders/{folder_id}/excludes:preview', { params: { path: { folder_id: folder.id } }, body: { patterns } });
  }

  /** Returns the error; "" when the patterns were saved. */
  async setExcludes(folder: Folder, patterns: string[], expected: Pick<ExcludePreview, 'hide' | 'show'>): Promise<string> {
    try {
      const { edit, scan } = await put('/api/v1/folders/{folder_id}/excludes', { params: { path: { folder_id: folder.id } }, body: { patterns } });
      if (edit) {
        const { operation } = await runWithProgress('Applying', () => Promise.resolve(edit));
        toasts.add(describeExcluded(expected), () => undo(operation, () => this.load()));
      }
      if (scan) await this.settle(scan);
      await this.load();
      void library.refreshStatus();
      return '';
    } catch (error) {
      return messageOf(error);
    }
  }

  private async run(edit: () => Promise<void>): Promise<void> {
    try {
      await edit();
    } catch (error) {
      toasts.add(messageOf(error));
    }
    await this.load();
  }

  private async follow(folder: Folder, how: Schemas['ScanRequest']): Promise<ScanReport | undefined> {
    if (this.scans.has(folder.id)) return undefined;
    try {
      this.note(folder.id, null);
      const { id } = await post('/api/v1/folders/{folder_id}:scan', { params: { path: { folder_id: folder.id } }, body: how });
      return await this.settle(id, (progress) => this.note(folder.id, progress));
    } catch (error) {
      toasts.add(messageOf(error));
      return undefined;
    } finally {
      const scans = new Map(this.scans);
      scans.delete(folder.id);
      this.scans = scans;
    }
  }

  private async settle(id: string, hear: (progress: ImportProgress) => void = () => undefined): Promise<ScanReport> {
    for (;;) {
      const scan = await get('/api/v1/imports/{import_id}', { params: { path: { import_id: id }, query: { wait: WAIT_S } } });
      hear(scan.progress);
      if (!scan.report) continue;
      if (scan.progress.state === 'failed') throw new Error(scan.progress.message);
      await this.load();
      return scan.report;
    }
  }

  private note(folder: number, progress: ImportProgress | null): void {
    this.scans = new Map(this.scans).set(folder, progress);
  }
}


/** Without the part that is meant for the command line. */
export function withoutCliHint(sentence: string): string {
  return sentence.replace(/ If they are gone[^:]*: .*$/s, '');
}

export const folders = new Folders();
