/** Tag names as the user types them. */

/** The typed name and its meaning: a tag to add, or with a minus one to remove. */
export interface Typed {
  name: string;
  removes: boolean;
}

export function parseTyped(text: string): Typed {
  const trimmed = text.trimStart();
  return { name: trimmed.replace(/^-/, '').trim(), removes: trimmed.startsWith('-') };
}

/** Normalized as in the library: case, spaces and underscores do not distinguish tags. */
export function sameName(one: string, other: string): boolean {
  const key = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/[\s_]+/g, ' ').trim();
  return key(one) === key(other);
}
