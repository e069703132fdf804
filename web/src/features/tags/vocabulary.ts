/** Edits of the tag vocabulary. */

import { ApiError, get, post, type Body, type EditResult } from '../../api/client';
import { invalidation } from '../../api/invalidation.svelte';
import type { BulkPreview } from '../../api/tags';
import { Selection } from '../../lib/selection';
import { refreshList, runEdit, type Refused } from '../edits/edits';
import { library } from '../gallery/library.svelte';

type Action = 'create' | 'rename' | 'merge' | 'split' | 'retag' | 'delete' | 'alias' | 'unalias' | 'imply' | 'unimply' | 'set-category' | 'set-threshold' | 'accept' | 'propose' | 'reject';
/** `do` is the action of `POST /api/v1/tags:ACTION`, which determines the other fields. */
export type TagEdit = { [Do in Action]: { do: Do } & Body<`/api/v1/tags:${Do}`, 'post'> }[Action];

/** Whether the edit succeeded; `refused` gets the reason if not, and how to confirm the edit. */
export async function change({ do: action, ...body }: TagEdit, message: string, refused?: Refused): Promise<boolean> {
  // The compiler does not see that the body is that of this action.
  const path = `/api/v1/tags:${action}` as '/api/v1/tags:create';
  return (await runTagEdit(() => post(path, { body: body as Body<typeof path, 'post'> }), () => message, refused)) !== undefined;
}

export function tryScript(text: string): Promise<BulkPreview> {
  return post('/api/v1/tags:bulk-edit', { body: { text, dry_run: true } });
}

/** Runs all lines as one edit. */
export async function runScript(text: string, describe: (done: EditResult) => string, refused?: Refused): Promise<boolean> {
  const ask = async (): Promise<EditResult> => {
    const { edit } = await post('/api/v1/tags:bulk-edit', { body: { text } });
    if (!edit) throw new ApiError(400, 'A line is not valid. Nothing was changed.');
    return edit;
  };
  return (await runTagEdit(ask, describe, refused)) !== undefined;
}

export async function exportTags(): Promise<void> {
  const text = await get('/api/v1/tags/export', { parseAs: 'text' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
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
  const { work } = await get('/api/v1/tags/updates');
  if (!work.length) return undefined;
  const total = work.reduce((sum, one) => sum + one.total, 0);
  const done = work.reduce((sum, one) => sum + one.done, 0);
  return { share: total ? done / total : 0, names: [...new Set(work.map((one) => one.tag ?? one.effective ?? 'all tags'))] };
}
