/** Collections as a tree: parents, order, and where a moved collection goes. */

import type { Collection } from '../../api/collections';

/** A collection as a row of the visible tree. */
export interface Row {
  one: Collection;
  level: number;
  /** Its position among its siblings, from 1, and their number. */
  place: number;
  siblings: number;
  parent: boolean;
  open: boolean;
}

/** The target position of a collection; parent null is the top level. */
export interface Place {
  parent: string | null;
  position: number;
}

/** The top level as an option of a select. */
export const OUTERMOST = { value: '', label: 'None (top level)' };

export type Side = 'before' | 'inside' | 'after';
export type Direction = 'up' | 'down' | 'in' | 'out';

/** The direct children of a collection, in order. */
export function within(list: readonly Collection[], parent: string | null): Collection[] {
  const known = new Set(list.map((one) => one.uuid));
  return list
    .filter((one) => (one.parent !== null && known.has(one.parent) ? one.parent : null) === parent)
    .sort((a, b) => a.position - b.position || a.id - b.id);
}

/** The visible rows, without children of `closed` collections. */
export function rowsOf(list: readonly Collection[], closed: ReadonlySet<string>, parent: string | null = null, level = 1): Row[] {
  const siblings = within(list, parent);
  return siblings.flatMap((one, at) => {
    const inside = within(list, one.uuid).length > 0;
    const open = inside && !closed.has(one.uuid);
    const row = { one, level, place: at + 1, siblings: siblings.length, parent: inside, open };
    return [row, ...(open ? rowsOf(list, closed, one.uuid, level + 1) : [])];
  });
}

/** Whether a collection is the other one or one of its descendants. */
export function isIn(list: readonly Collection[], inner: string, outer: string): boolean {
  const parents = new Map(list.map((one) => [one.uuid, one.parent]));
  for (let at: string | null | undefined = inner; at; at = parents.get(at)) if (at === outer) return true;
  return false;
}

/** The names on the path to a collection, its own last. */
export function pathOf(list: readonly Collection[], uuid: string): string[] {
  const one = list.find((other) => other.uuid === uuid);
  return one ? [...(one.parent ? pathOf(list, one.parent) : []), one.name] : [];
}

/** Where a collection goes when dropped on another; undefined if it cannot go there. */
export function placeBeside(list: readonly Collection[], moved: string, at: Collection, side: Side): Place | undefined {
  if (isIn(list, at.uuid, moved)) return undefined;
  if (side === 'inside') return last(list, at.uuid);
  const siblings = within(list, at.parent).filter((one) => one.uuid !== moved);
  const index = siblings.findIndex((one) => one.uuid === at.uuid) + (side === 'after' ? 1 : 0);
  return { parent: at.parent, position: positionAt(siblings, index) };
}

/** Where a collection goes by a key: past its sibling, into the one above it, or out of its parent. */
export function placeByKey(list: readonly Collection[], one: Collection, direction: Direction): Place | undefined {
  const siblings = within(list, one.parent);
  const at = siblings.findIndex((other) => other.uuid === one.uuid);
  const before = siblings[at - 1];
  const after = siblings[at + 1];
  const parent = list.find((other) => other.uuid === one.parent);
  switch (direction) {
    case 'up':
      return before && placeBeside(list, one.uuid, before, 'before');
    case 'down':
      return after && placeBeside(list, one.uuid, after, 'after');
    case 'in':
      return before && last(list, before.uuid);
    case 'out':
      return parent && placeBeside(list, one.uuid, parent, 'after');
  }
}

function last(list: readonly Collection[], parent: string): Place {
  return { parent, position: (within(list, parent).at(-1)?.position ?? 0) + 1 };
}

function positionAt(siblings: readonly Collection[], index: number): number {
  const [before, after] = [siblings[index - 1], siblings[index]];
  if (before && after) return (before.position + after.position) / 2;
  return before ? before.position + 1 : after ? after.position - 1 : 1;
}
