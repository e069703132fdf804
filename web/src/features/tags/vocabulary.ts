/** Edits of the tag vocabulary. */

import { get, post, type EditResult } from '../../api/client';
import { invalidation } from '../../api/invalidation.svelte';
import type { BulkPreview } from '../../api/tags';
import { Selection } from '../../lib/selection';
import { refreshList, runEdit, type Refused } from '../edits/edits';
import { library } from '../gallery/library.svelte';

/** `do` is the action of `POST /api/v1/tags:ACTION`, which determines the other fields that it needs. */
export interface TagEdit {
  do: string;
  name?: string;
  tag?: string;
  tags?: string[];
  to?: string;
  of?: string;
  implies?: string;
  category?: string | null;
  source?: string;
  value?: number | null;
  across?: boolean;
}

/** Whether the edit succeeded; `refused` gets the reason if not, and how to confirm the edit. */
export async function change({ do: action, ...asked }: TagEdit, message: string, refused?: Refused): Promise<boolean> {
  return (await runTagEdit(() => post<EditResult>(`/api/v1/tags:${action}`, asked), () => message, refused)) !== undefined;
}

export function tryScript(text: string): Promise<BulkPreview> {
  return post<BulkPreview>('/api/v1/tags:bulk-edit', { text, dry_run: true });
}

/** Runs all lines as one edit. */
export async function runScript(text: string, describe: (done: EditResult) => string, refused?: Refused): Promise<boolean> {
  return (await runTagEdit(async () => (await post<{ edit: EditResult }>('/api/v1/tags:bulk-edit', { text })).edit, describe, refused)) !== undefined;
}

export async function exportTags(): Promise<void> {
  const response = await fetch('/api/v1/tags/export');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = 'tags.txt';
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Bulk edit lines that merge all of these tags into one. */
export function mergeScript(tags: readonly string[], keep: string): string {
  return tags
    .filter((name) => name !== keep)
    .map((name) => `merge ${name} -> ${keep}`)
    .join('\n');
}

function runTagEdit<D extends EditResult>(ask: () => Promise<D>, describe: (done: D) => string, refused?: Refused): Promise<D | undefined> {
  const then = async (): Promise<void> => {
    invalidation.mark('tags', 'counts', 'collections');
    if (library.view.snapshot) await refreshList(new Selection());
  };
  return runEdit({ text: 'Updating tags', ask, describe, then, ...(refused ? { refused } : {}) });
}

/** Progress of updating images after relations changed, 0 to 1; undefined when all are up to date. */
export async function workLeft(): Promise<{ share: number; names: string[] } | undefined> {
  const { work } = await get<{ work: { tag: string | null; effective: string | null; done: number; total: number }[] }>('/api/v1/tags/updates');
  if (!work.length) return undefined;
  const total = work.reduce((sum, one) => sum + one.total, 0);
  const done = work.reduce((sum, one) => sum + one.done, 0);
  return { share: total ? done / total : 0, names: [...new Set(work.map((one) => one.tag ?? one.effective ?? 'all tags'))] };
}
