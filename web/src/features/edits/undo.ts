/** Undoes and redoes an edit, and reports a failure. */

import { post, type EditResult } from '../../api/client';
import { followEdit } from '../../api/edits';
import { messageOf } from '../../lib/errors';
import { announcer } from '../../ui/announcer.svelte';
import { toasts } from '../../ui/toasts.svelte';

/** `then` refreshes what is shown, after an undo and after a redo. */
export async function undo(operation: number, then: () => unknown): Promise<void> {
  try {
    await runWithProgress('Undoing', () => post('/api/v1/edits/{operation}/undo', { params: { path: { operation } } }));
    toasts.undone(() => redo(operation, then));
    announcer.say('Undone.');
    await then();
  } catch (error) {
    toasts.add(messageOf(error, 'Could not undo this.'));
  }
}

async function redo(operation: number, then: () => unknown): Promise<void> {
  try {
    const done = await runWithProgress('Redoing', () => post('/api/v1/edits/{operation}/redo', { params: { path: { operation } } }));
    toasts.again('Redone.', () => undo(done.operation, then));
    await then();
  } catch (error) {
    toasts.add(messageOf(error, 'Could not redo this.'));
  }
}

/** Runs an edit from its request to its end, and shows progress if it takes long. */
export async function runWithProgress(text: string, ask: () => Promise<EditResult>): Promise<EditResult> {
  let tell: ((share?: number) => void) | undefined;
  try {
    return await followEdit(await ask(), (done) => {
      tell ??= toasts.work(text);
      if (done.state === 'applying' && done.total) tell(done.changed / done.total);
    });
  } finally {
    tell?.();
  }
}
