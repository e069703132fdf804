/** Images of a manual collection: moved by keys, or removed from it. */

import { targetImages } from '../gallery/actions';
import { library } from '../gallery/library.svelte';
import { collections, indexes } from './collections.svelte';

/** Moves one place earlier or later, past the next unselected image. */
export function shift(by: -1 | 1): void {
  if (!collections.arranged) return;
  const selected = targetImages();
  const moving = indexes(selected);
  const [first, last] = [moving[0], moving.at(-1)];
  if (first === undefined || last === undefined) return;
  const before = by < 0 ? first - 1 : last + 2;
  if (before >= 0 && before <= library.view.total) void collections.arrange(selected, before);
}

export function removeFromCollection(): void {
  if (collections.current?.kind === 'manual') void collections.removeFromCollection(collections.current.uuid, targetImages());
}
