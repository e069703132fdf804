/** Keyboard shortcuts: what they are, and how an event becomes a key name. */

export interface Shortcut {
  keys: readonly string[];
  shown: string;
  does: string;
  /** `key` is the pressed one of `keys`, `at_ms` the time of the event. */
  run: (key: string, at_ms: number) => void;
  /** Repeats while the key is held down. */
  repeats?: boolean;
  /** Called when the key is released. */
  release?: (at_ms: number) => void;
  /** Works on pages without images, too. */
  anywhere?: boolean;
}

/** A key name as written in the tables: `Ctrl+a`, `Ctrl+Shift+z`, `P`, `ArrowLeft`, `f`. */
export function keyOf(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  const shift = event.shiftKey && (control || event.key.length > 1) ? 'Shift+' : '';
  return control + shift + (control ? event.key.toLowerCase() : event.key);
}

/** Whether the user is typing text. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['range', 'checkbox', 'radio'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}
