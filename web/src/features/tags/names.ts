/** Names of tags as a person types them. */

/** What is typed, and what it means: a tag to add, or with a minus one to remove. */
export interface Typed {
  name: string;
  removes: boolean;
}

export function parseTyped(text: string): Typed {
  const trimmed = text.trimStart();
  return { name: trimmed.replace(/^-/, '').trim(), removes: trimmed.startsWith('-') };
}

/** As the library compares names: case, blanks and underscores make no other tag. */
export function sameName(one: string, other: string): boolean {
  const key = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/[\s_]+/g, ' ').trim();
  return key(one) === key(other);
}
