/** Images of a collection by hand, moved in it by keys or taken out. */

import { target } from '../gallery/actions';
import { library } from '../gallery/library.svelte';
import { collections, indexes } from './collections.svelte';

/** One place earlier or later, past the next image that is not chosen. */
export function shift(by: -1 | 1): void {
  if (!collections.arranged) return;
  const chosen = target();
  const moving = indexes(chosen);
  const [first, last] = [moving[0], moving.at(-1)];
  if (first === undefined || last === undefined) return;
  const before = by < 0 ? first - 1 : last + 2;
  if (before >= 0 && before <= library.view.total) void collections.arrange(chosen, before);
}

export function takeOut(): void {
  if (collections.current?.kind === 'manual') void collections.takeOut(collections.current.uuid, target());
}
