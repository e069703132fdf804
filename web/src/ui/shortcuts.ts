/** What a key of the table is, and how an event becomes its name. */

export interface Shortcut {
  keys: readonly string[];
  shown: string;
  does: string;
  /** `key` is the one of `keys` that was pressed, `at_ms` the moment, however late the page comes to it. */
  run: (key: string, at_ms: number) => void;
  /** Held down, it goes on. */
  repeats?: boolean;
  /** When the key is let go. */
  release?: (at_ms: number) => void;
  /** Also where no images are shown. */
  anywhere?: boolean;
}

/** A key as written in the table: `Ctrl+a`, `Ctrl+Shift+z`, `P`, `ArrowLeft`, `f`. */
export function keyOf(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  const shift = event.shiftKey && (control || event.key.length > 1) ? 'Shift+' : '';
  return control + shift + (control ? event.key.toLowerCase() : event.key);
}

/** Whether the person is typing, so that letters are letters. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['range', 'checkbox', 'radio'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}
