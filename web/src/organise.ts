/** Deeds on tags and collections: asked for, followed to their end, said by a toast that takes them back. */

import { get, post, type Done } from './api/client';
import { connection } from './api/connection.svelte';
import { library } from './gallery/library.svelte';
import { Selection } from './lib/selection';
import { grouped } from './lib/words';
import { routing } from './routing.svelte';
import { toasts } from './ui/toasts.svelte';
import { undo } from './ui/undoing';

const WAIT_S = 2;

/** Images of a view, as a request names them. */
export interface Picked {
  snapshot: string;
  ranges: readonly (readonly [number, number])[];
  except: readonly number[];
}

/** What is chosen, or the image in focus; in the viewer the one that is looked at, whatever is chosen. */
export function target(): Selection {
  const alone = routing.viewing || !library.selection.count;
  return alone ? new Selection().withRange(library.focused, library.focused) : library.selection;
}

export function picked(chosen: Selection): Picked {
  return { snapshot: library.view.snapshot, ranges: chosen.ranges, except: [...chosen.leftOut] };
}

export function images(count: number): string {
  return count === 1 ? '1 image' : `${grouped(count)} images`;
}

/** How far a deed in slices is. */
export type Progress = (done: Done) => void;

/**
 * Asks for a deed and waits until all of it is done. `said` is what the toast says, nothing when it returns "";
 * `then` shows how things are, now and after an undo. Undefined when it was refused, which a toast says too,
 * unless `refused` takes the sentence.
 */
export function deed<D extends Done>(
  ask: () => Promise<D>,
  said: (done: D) => string,
  then: () => unknown = () => undefined,
  refused: (sentence: string) => void = (sentence) => toasts.add(sentence),
  onprogress: Progress = () => undefined,
): Promise<D | undefined> {
  return toasts.during(carried(ask, said, then, refused, onprogress));
}

async function carried<D extends Done>(
  ask: () => Promise<D>,
  said: (done: D) => string,
  then: () => unknown,
  refused: (sentence: string) => void,
  onprogress: Progress,
): Promise<D | undefined> {
  if (!connection.up) {
    refused('MystiCanvas does not answer: nothing was changed. Try again when it is back.');
    return undefined;
  }
  try {
    const first = await ask();
    const done = { ...first, ...(await arrived(first, onprogress)) };
    const text = said(done);
    if (text) toasts.add(text, () => undo(done.operation, then));
    await then();
    return done;
  } catch (error) {
    refused(error instanceof Error ? error.message : 'That did not work.');
    return undefined;
  }
}

async function arrived(done: Done, onprogress: Progress): Promise<Done> {
  while (done.state === 'applying') {
    onprogress(done);
    done = await get<Done>(`/api/operations/${done.operation}?wait=${WAIT_S}`);
  }
  if (done.trouble) throw new Error(done.trouble);
  return done;
}

/** What a deed sets for images: tags, or a collection they go into or out of. */
export type Marks = { tags: { add?: string[]; remove?: string[]; reject?: string[] } } | { collect: string } | { uncollect: string };

export function bulk(chosen: Picked | { uuids: string[] }, set: Marks): Promise<Done> {
  return post<Done>('/api/bulk', { ...chosen, set });
}

/** After images were marked: those that do not match any more go from the list, and come back by an undo. */
export async function showAnew(...fields: string[]): Promise<void> {
  const concerned = library.view.filters.some((chip) => fields.includes(chip.field) || chip.field === 'any');
  if (concerned && !library.error) await library.renew();
}
