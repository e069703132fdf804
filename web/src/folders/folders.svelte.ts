/** The folders of the library: their states, scans, what is missing in them. */

import { get, post, type Done, type ImportProgress } from '../api/client';
import type { Folder, FolderList, LostFiles, RemovedFolder, Scan, ScanReport } from '../api/keeping';
import { library } from '../gallery/library.svelte';
import { grouped } from '../lib/words';
import { toasts } from '../ui/toasts.svelte';
import { undo } from '../ui/undoing';
import { scanned } from './wording';

const WAIT_S = 1;

class Folders {
  list = $state.raw<Folder[]>([]);
  removed = $state.raw<RemovedFolder[]>([]);
  loaded = $state(false);
  problem = $state('');
  /** Scans that are under way, by the folder's number. */
  scans = $state.raw<ReadonlyMap<number, ImportProgress | null>>(new Map());

  async load(): Promise<void> {
    try {
      const got = await get<FolderList>('/api/roots');
      [this.list, this.removed, this.problem] = [got.roots, got.removed, ''];
    } catch (error) {
      this.problem = sentence(error);
    }
    this.loaded = true;
  }

  /** Says what was wrong; "" when the folder is being taken in. */
  async add(path: string): Promise<string> {
    try {
      const { id } = await post<{ id: string }>('/api/imports', { paths: [path] });
      await this.load();
      void library.refreshStatus();
      void this.settle(id);
      return '';
    } catch (error) {
      return sentence(error);
    }
  }

  async remove(folder: Folder): Promise<void> {
    await this.doing(async () => {
      await post(`/api/roots/${folder.id}/remove`);
      toasts.add(`${folder.path} is not looked at any more. Its images stay in the library.`);
      void library.refreshStatus();
    });
  }

  async scan(folder: Folder, accept = false): Promise<void> {
    const report = await this.follow(folder, { accept });
    if (report) toasts.add(report.offline[0] ? plain(report.offline[0]) : scanned(report));
    await this.load();
    void library.refreshStatus();
  }

  wouldChange(folder: Folder): Promise<ScanReport | undefined> {
    return this.follow(folder, { dry_run: true });
  }

  missing(folder: Folder, after: number): Promise<LostFiles> {
    return get<LostFiles>(`/api/roots/${folder.id}/missing?after=${after}`);
  }

  /** Says what was wrong; "" when the file is found. */
  async locate(file: number, path: string): Promise<string> {
    try {
      await post(`/api/roots/missing/${file}/locate`, { path });
      toasts.add('Found: the image has its file again.');
      await this.load();
      return '';
    } catch (error) {
      return sentence(error);
    }
  }

  async forget(asked: { files: number[] } | { root: number }): Promise<void> {
    await this.doing(async () => {
      const { places, deed } = await post<{ places: number; deed: Done | null }>('/api/roots/missing/forget', asked);
      if (deed) toasts.add(`${counted(deed.changed, 'image')} moved to the Trash.`, () => undo(deed.operation, () => this.load()));
      else toasts.add(`${counted(places, 'place')} forgotten; the images have other files.`);
    });
  }

  private async doing(deed: () => Promise<void>): Promise<void> {
    try {
      await deed();
    } catch (error) {
      toasts.add(sentence(error));
    }
    await this.load();
  }

  private async follow(folder: Folder, how: Record<string, boolean>): Promise<ScanReport | undefined> {
    if (this.scans.has(folder.id)) return undefined;
    try {
      this.note(folder.id, null);
      const { id } = await post<{ id: string }>(`/api/roots/${folder.id}/scan`, how);
      return await this.settle(id, (progress) => this.note(folder.id, progress));
    } catch (error) {
      toasts.add(sentence(error));
      return undefined;
    } finally {
      const scans = new Map(this.scans);
      scans.delete(folder.id);
      this.scans = scans;
    }
  }

  private async settle(id: string, hear: (progress: ImportProgress) => void = () => undefined): Promise<ScanReport> {
    for (;;) {
      const scan = await get<Scan>(`/api/imports/${id}?wait=${WAIT_S}`);
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

export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${count === 1 ? noun : `${noun}s`}`;
}

/** Without what is said to those who have the command line. */
export function plain(trouble: string): string {
  return trouble.replace(/ If they are gone for good, say so: .*$/s, '');
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : 'That did not work.';
}

export const folders = new Folders();
