/** What a person does to the vocabulary itself. */

import { get, post, type Done } from '../api/client';
import type { Outcome, Trial } from '../api/tags';
import { library } from '../gallery/library.svelte';
import { Selection } from '../lib/selection';
import { carryOut, showAnew } from '../organise';
import { stale } from '../stale.svelte';

/** As `POST /api/tags` takes it; `do` says which of the others it needs. */
export interface TagDeed {
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

/** Whether it was done; a sentence why not goes to `refused`. */
export async function change(asked: TagDeed, said: string, refused?: (sentence: string) => void): Promise<boolean> {
  return (await carried(() => post<Done>('/api/tags', asked), () => said, refused)) !== undefined;
}

export function tryScript(text: string): Promise<Trial> {
  return post<Trial>('/api/tags/script', { text, dry_run: true });
}

/** All of it as one deed. */
export async function runScript(text: string, said: (done: Done) => string, refused?: (sentence: string) => void): Promise<boolean> {
  return (await carried(() => post<Done & { lines: Outcome[] }>('/api/tags/script', { text }), said, refused)) !== undefined;
}

export async function exported(): Promise<void> {
  const response = await fetch('/api/tags/export');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = 'tags.txt';
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Script lines that make all of these tags one. */
export function mergeScript(tags: readonly string[], keep: string): string {
  return tags
    .filter((name) => name !== keep)
    .map((name) => `merge ${name} -> ${keep}`)
    .join('\n');
}

function carried<D extends Done>(ask: () => Promise<D>, said: (done: D) => string, refused?: (sentence: string) => void): Promise<D | undefined> {
  const then = async (): Promise<void> => {
    stale.hear('tags', 'counts', 'collections');
    if (library.view.snapshot) await showAnew(new Selection());
  };
  return carryOut({ text: 'Changing tags', ask, said, then, ...(refused ? { refused } : {}) });
}

/** How far images are brought in step with relations, 0 to 1; undefined when all are. */
export async function workLeft(): Promise<{ share: number; names: string[] } | undefined> {
  const { work } = await get<{ work: { tag: string | null; effective: string | null; done: number; total: number }[] }>('/api/tags/work');
  if (!work.length) return undefined;
  const total = work.reduce((sum, one) => sum + one.total, 0);
  const done = work.reduce((sum, one) => sum + one.done, 0);
  return { share: total ? done / total : 0, names: [...new Set(work.map((one) => one.tag ?? one.effective ?? 'all tags'))] };
}
