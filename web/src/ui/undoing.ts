/** Takes a deed back, does it again, and says so when that does not work. */

import { post, type Done } from '../api/client';
import { followed } from '../api/deeds';
import { announcer } from './announcer.svelte';
import { toasts } from './toasts.svelte';

/** `then` shows how things are now, after an undo and after a redo. */
export async function undo(operation: number, then: () => unknown): Promise<void> {
  try {
    await working('Undoing', () => post<Done>(`/api/undo/${operation}`));
    toasts.undone(() => redo(operation, then));
    announcer.say('Undone.');
    await then();
  } catch (error) {
    toasts.add(error instanceof Error ? error.message : 'It could not be undone.');
  }
}

async function redo(operation: number, then: () => unknown): Promise<void> {
  try {
    const done = await working('Doing it again', () => post<Done>(`/api/redo/${operation}`));
    toasts.again('Done again.', () => undo(done.operation, then));
    await then();
  } catch (error) {
    toasts.add(error instanceof Error ? error.message : 'It could not be done again.');
  }
}

/** A deed from its request to its end, however long that takes, with its progress shown when it takes long. */
export async function working(text: string, ask: () => Promise<Done>): Promise<Done> {
  let tell: ((share?: number) => void) | undefined;
  try {
    return await followed(await ask(), (done) => {
      tell ??= toasts.work(text);
      if (done.state === 'applying' && done.total) tell(done.changed / done.total);
    });
  } finally {
    tell?.();
  }
}
