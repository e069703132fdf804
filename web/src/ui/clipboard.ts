/** Copies to the clipboard and confirms it with a toast. */

import { toasts } from './toasts.svelte';

export async function copy(text: string, what: string): Promise<void> {
  if (!text) {
    toasts.add(`${what} is empty. Nothing was copied.`);
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
    toasts.add(`${what} copied.`);
  } catch {
    toasts.add('Your browser blocked copying. Allow clipboard access and try again.');
  }
}
