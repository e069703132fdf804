/** The server counts characters, JavaScript counts UTF-16 units: `😀` is two of them. */

/** The unit at which character number `character` begins. */
export function unitAt(text: string, character: number): number {
  let unit = 0;
  for (let passed = 0; passed < character && unit < text.length; passed++) unit += unitsAt(text, unit);
  return unit;
}

/** The number of characters before a position in a string. */
export function characterAt(text: string, unit: number): number {
  let passed = 0;
  for (let at = 0; at < unit && at < text.length; at += unitsAt(text, at)) passed++;
  return passed;
}

/** Splits a text at positions counted in characters, in order, and tells which pieces are inside a range. */
export function pieces(text: string, places: readonly (readonly number[])[]): { text: string; found: boolean }[] {
  const cut: { text: string; found: boolean }[] = [];
  let at = 0;
  let character = 0;
  const upTo = (end: number, found: boolean): void => {
    const begin = at;
    for (; character < end && at < text.length; character++) at += unitsAt(text, at);
    if (at > begin) cut.push({ text: text.slice(begin, at), found });
  };
  for (const [from = 0, to = 0] of places) {
    upTo(from, false);
    upTo(to, true);
  }
  upTo(Infinity, false);
  return cut;
}

function unitsAt(text: string, at: number): 1 | 2 {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}
