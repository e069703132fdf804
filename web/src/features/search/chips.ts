/** Chips are a view of the query: each action on a chip composes a new query. */

import type { Chip, Snapshot, UnknownName } from '../../api/client';
import { unitAt } from '../../lib/characters';

/** The sort order if the query has none. */
const USUAL_ORDER = 'newest';
export const SIMILARITY = 'similarity';
const HAS_OR = /(^|[\s(])OR([\s)]|$)/;
const HAS_ORDER = /(^|\s)(sort|order):/i;
const HAS_SIMILAR = /(^|\s)(~\S|(like|similar|looks):)/i;
const RANDOM = /(^|\s)((?:sort|order):random)(?=\s|$)/i;
const SEEDS = 1_000_000;

/** The similarity term, if any: it sorts the images, unless the query has a sort order. */
export function similarOf(view: Snapshot): Chip | undefined {
  return view.filters.find(isSimilar);
}

/** The terms that narrow the search, without the sort order. */
export function filtersOf(view: Snapshot): Chip[] {
  return view.filters.filter((chip) => !isOrder(chip));
}

/** The typed text with every filter except the one being edited. */
export function composeQuery(view: Snapshot, typed: string, without?: Chip): string {
  // The typed text may replace the similarity term.
  const anew = HAS_SIMILAR.test(typed);
  const others = filtersOf(view).filter((chip) => chip.text !== without?.text && !(anew && isSimilar(chip)));
  const order = HAS_ORDER.test(typed) ? [] : view.filters.filter(isOrder);
  // In parentheses, or an OR would apply to the terms next to it.
  const alone = HAS_OR.test(typed) && !HAS_ORDER.test(typed) && others.length + order.length > 0;
  return joinTerms([typed.trim() && alone ? `(${typed.trim()})` : typed, ...texts([...others, ...order])]);
}

export function withoutChip(view: Snapshot, gone: Chip): string {
  // A sort by similarity is removed together with its similarity term.
  if (isSimilar(gone) && view.sort === SIMILARITY) view = { ...view, filters: view.filters.filter((chip) => !isOrder(chip)) };
  return joinTerms(texts([...view.words, ...view.filters.filter((chip) => chip.text !== gone.text)]));
}

export function withoutWord(view: Snapshot, gone: Chip): string {
  return joinTerms(texts([...view.words.filter((word) => word.text !== gone.text), ...view.filters]));
}

/** Keeps only the sort order. */
export function clearFilters(view: Snapshot): string {
  return joinTerms(texts(view.filters.filter(isOrder)));
}

/** The chip, negated. */
export function exclusionOf(view: Snapshot, turned: Chip): string {
  const turn = (chip: Chip): string => (chip.text === turned.text ? opposite(chip.text) : chip.text);
  return joinTerms([...texts(view.words), ...view.filters.map(turn)]);
}

/** The query with a term added, or removed if it was there. */
export function toggleTerm(view: Snapshot, term: string): string {
  const had = view.filters.find((chip) => chip.text === term);
  return had ? withoutChip(view, had) : withTerm(view, term);
}

/** The query with a term added and its opposite removed. */
export function withTerm(view: Snapshot, term: string): string {
  const others = view.filters.filter((chip) => chip.text !== term && chip.text !== opposite(term));
  return joinTerms([...texts(view.words), ...texts(others.filter((chip) => !isOrder(chip))), term, ...texts(others.filter(isOrder))]);
}

export function opposite(term: string): string {
  return term.startsWith('-') ? term.slice(1) : `-${term}`;
}

/** The same images in another order; `term` as in `sort:oldest`. */
export function withOrder(view: Snapshot, term: string): string {
  const usual = similarOf(view) ? SIMILARITY : USUAL_ORDER;
  const sorting = term === `sort:${usual}` ? [] : [fixSeed(term)];
  return joinTerms([...texts([...view.words, ...filtersOf(view)]), ...sorting]);
}

/** A random order gets its seed here, so that the same address is the same order. */
export function fixSeed(query: string): string {
  return query.replace(RANDOM, (_, before: string, term: string) => `${before}${term}:${Math.floor(Math.random() * SEEDS)}`);
}

/** The query with an unknown value replaced by the nearest existing one. */
export function correctSpelling(view: Snapshot, unknown: UnknownName): string {
  const { suggestion } = unknown;
  if (suggestion === null) return view.q;
  for (let at = view.q.indexOf(unknown.text); at >= 0; at = view.q.indexOf(unknown.text, at + 1)) {
    const end = at + unknown.text.length;
    if (/^([\s)<>=]|$)/.test(view.q.slice(end))) return view.q.slice(0, at) + suggestion + view.q.slice(end);
  }
  return suggestion;
}

/** An invalid query, cut at the faulty term (`position` in characters). */
export function atFault(query: string, position: number): { before: string; term: string; after: string } {
  const begin = unitAt(query, position);
  const end = endOfTerm(query, begin);
  return { before: query.slice(0, begin), term: query.slice(begin, end), after: query.slice(end) };
}

/** Where a term ends: at whitespace or an unmatched closing parenthesis, outside of quotes. */
function endOfTerm(text: string, at: number): number {
  let opened = 0;
  let quoted = false;
  for (; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"' && text[at - 1] !== '\\') quoted = !quoted;
    if (quoted) continue;
    if (/\s/.test(character)) break;
    if (character === '(') opened++;
    if (character === ')' && --opened < 0) break;
  }
  return at;
}

/** Similarity terms cannot be negated. */
export function isSimilar(chip: Chip): boolean {
  return chip.field === 'similar' || chip.field === 'looks';
}

/** The typed text as a semantic search; undefined if it has no words or already is one. */
export function semanticQuery(typed: string): string | undefined {
  const words = typed.trim();
  if (words.length < 3 || /["~()]|\w:/.test(words)) return undefined;
  return `~"${words}"`;
}

function isOrder(chip: Chip): boolean {
  return chip.field === 'sort';
}

function texts(chips: readonly Chip[]): string[] {
  return chips.map((chip) => chip.text);
}

function joinTerms(parts: readonly string[]): string {
  return parts
    .map((part) => part.trim())
    .filter(Boolean)
    .join(' ');
}
