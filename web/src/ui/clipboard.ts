/** The clipboard, with a word about it. */

import { toasts } from './toasts.svelte';

export async function copy(text: string, what: string): Promise<void> {
  if (!text) {
    toasts.add(`${what}: there is nothing to copy.`);
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
    toasts.add(`${what} copied.`);
  } catch {
    toasts.add('The browser does not allow copying here.');
  }
}
