/** Chips are a view of the query: each deed on one makes another query. */

import type { Chip, Snapshot } from '../api/client';

export function quoted(value: string): string {
  return /[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value;
}

function joined(words: readonly Chip[], filters: readonly Chip[]): string {
  return [...words, ...filters].map((chip) => chip.text).join(' ');
}

export function withoutChip(view: Snapshot, gone: Chip): string {
  return joined(
    view.words,
    view.filters.filter((chip) => chip.text !== gone.text),
  );
}

export function withoutWord(view: Snapshot, gone: Chip): string {
  return joined(
    view.words.filter((word) => word.text !== gone.text),
    view.filters,
  );
}

/** The chip turned into its opposite. */
export function exclusionOf(view: Snapshot, turned: Chip): string {
  const opposite = turned.negated ? turned.text.slice(1) : `-${turned.text}`;
  return joined(
    view.words,
    view.filters.map((chip) => (chip.text === turned.text ? { ...chip, text: opposite } : chip)),
  );
}
