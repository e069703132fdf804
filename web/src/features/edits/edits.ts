/** Edits on tags and collections: asked for, followed to their end, said by a toast that takes them back. */

import { post, type EditResult } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import { messageOf } from '../../lib/errors';
import type { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import { library } from '../gallery/library.svelte';
import { undo, working } from './undo';

/** Filters by which an image may come or go when its tags or collections change. */
const CONCERNED = ['tag', 'has', 'collection', 'in', 'any'];

/** Images of a view, as a request names them. */
export interface Picked {
  snapshot: string;
  ranges: readonly (readonly [number, number])[];
  except: readonly number[];
}

export function pickImages(chosen: Selection): Picked {
  return { snapshot: library.view.snapshot, ranges: chosen.ranges, except: [...chosen.excluded] };
}

/**
 * Asked for, and waited for until all of it is done; `text` says what goes on when that takes long. `said` is
 * what the toast says then, nothing when it returns ""; `then` shows how things are, now and after an undo.
 * Undefined when it was refused, which a toast says too, unless `refused` takes the sentence.
 */
export interface Edit<D extends EditResult> {
  text: string;
  ask: () => Promise<D>;
  said: (done: D) => string;
  then?: () => unknown;
  refused?: (sentence: string) => void;
}

export function runEdit<D extends EditResult>(edit: Edit<D>): Promise<D | undefined> {
  return toasts.during(performEdit(edit));
}

async function performEdit<D extends EditResult>({ text, ask, said, then, refused = (sentence) => toasts.add(sentence) }: Edit<D>): Promise<D | undefined> {
  if (!connection.up) {
    refused('MystiCanvas does not answer: nothing was changed. Try again when it is back.');
    return undefined;
  }
  try {
    let first: D | undefined;
    const arrived = await working(text, async () => (first = await ask()));
    const done = { ...first, ...arrived } as D;
    const sentence = said(done);
    if (sentence) toasts.add(sentence, () => undo(done.operation, () => then?.()));
    await then?.();
    return done;
  } catch (error) {
    refused(messageOf(error));
    return undefined;
  }
}

/** What an edit sets for images: tags, or a collection they go into or out of. */
export type Marks = { tags: { add?: string[]; remove?: string[]; reject?: string[] } } | { collect: string } | { uncollect: string };

export function bulk(chosen: Picked | { uuids: string[] }, set: Marks): Promise<EditResult> {
  return post<EditResult>('/api/bulk', { ...chosen, set });
}

/** After images were marked: those that do not match any more go from the list, and come back by an undo. */
export async function showAnew(chosen: Selection): Promise<void> {
  library.touched++;
  const concerned = library.view.filters.some((chip) => CONCERNED.includes(chip.field));
  if (concerned && !library.error) await library.renew(chosen);
}
