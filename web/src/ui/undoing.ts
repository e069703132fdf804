/** Takes a deed back, and says so when that does not work. */

import { post } from '../api/client';
import { toasts } from './toasts.svelte';

/** `then` shows how things are now. */
export async function undo(operation: number, then: () => unknown): Promise<void> {
  try {
    await post(`/api/undo/${operation}`);
    await then();
  } catch (error) {
    toasts.add(error instanceof Error ? error.message : 'It could not be undone.');
  }
}
