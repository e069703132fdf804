/** Edits on tags and collections: requested, followed until they finish, and reported by a toast with Undo. */

import { ApiError, post, type EditResult, type Schemas } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import { listSelection } from '../../api/selection';
import { messageOf } from '../../lib/errors';
import type { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import { library } from '../gallery/library.svelte';
import { runWithProgress, undo } from './undo';

/** Filters whose results may change when tags or collections change. */
const CONCERNED = ['tag', 'has', 'collection', 'in', 'any'];

/** Images of a view, as a request lists them. */
export type Picked = Required<Schemas['TagsOfSelectionRequest']>;

export function pickImages(selected: Selection): Picked {
  return { snapshot: library.view.snapshot, ...listSelection(selected) };
}

/**
 * An edit to request and follow until it finishes. `text` describes it while it runs long; `describe` returns the
 * toast's text, or "" for none; `then` refreshes what is shown, after the edit and after an undo. `refused` gets the
 * reason of a refusal; without it a toast shows the reason.
 */
export interface Edit<D extends EditResult> {
  text: string;
  ask: () => Promise<D>;
  describe: (done: D) => string;
  then?: () => unknown;
  refused?: Refused;
}

/** `confirm` is the field of the request that must be true for it to succeed, if the user can confirm it. */
export type Refused = (sentence: string, confirm?: string | null) => void;

export function runEdit<D extends EditResult>(edit: Edit<D>): Promise<D | undefined> {
  return toasts.during(performEdit(edit));
}

async function performEdit<D extends EditResult>({ text, ask, describe, then, refused = (sentence: string) => toasts.add(sentence) }: Edit<D>): Promise<D | undefined> {
  if (!connection.up) {
    refused('MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.');
    return undefined;
  }
  try {
    let first: D | undefined;
    const arrived = await runWithProgress(text, async () => (first = await ask()));
    const done = { ...first, ...arrived } as D;
    const sentence = describe(done);
    if (sentence) toasts.add(sentence, () => undo(done.operation, () => then?.()));
    await then?.();
    return done;
  } catch (error) {
    refused(messageOf(error), error instanceof ApiError ? error.confirm : null);
    return undefined;
  }
}

/** What an edit sets on images: tags, or a collection they are added to or removed from. */
export type Marks = Pick<Schemas['ImagesChangeRequest'], 'tags' | 'collect' | 'uncollect'>;

export function bulk(selected: Picked | { uuids: string[] }, set: Marks): Promise<EditResult> {
  return post('/api/v1/edits', { body: { ...selected, set } });
}

/** Refreshes the list after an edit: images that no longer match leave it, and come back on undo. */
export async function refreshList(selected: Selection): Promise<void> {
  library.touched++;
  const concerned = library.view.filters.some((chip) => CONCERNED.includes(chip.field));
  if (concerned && !library.error) await library.renew(selected);
}
