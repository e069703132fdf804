/** Keyboard shortcuts of the comparison. */

import type { Shortcut } from '../../ui/shortcuts';
import { routing } from '../gallery/routing.svelte';
import { comparison } from './comparison.svelte';

function toggleFavorite(): void {
  const on = !comparison.details[comparison.active]?.is_favorite;
  void comparison.mark(comparison.active, { favorite: on }, `1 image ${on ? 'added to' : 'removed from'} favorites`);
}

function rate(stars: number): void {
  void comparison.mark(comparison.active, { rating: stars }, stars ? `1 image rated ${'★'.repeat(stars)}` : 'Rating cleared for 1 image');
}

export const COMPARE_KEYS: readonly Shortcut[] = [
  { keys: ['ArrowLeft'], shown: '←', does: 'Previous image', run: () => comparison.go(comparison.active - 1) },
  { keys: ['ArrowRight'], shown: '→', does: 'Next image', run: () => comparison.go(comparison.active + 1) },
  { keys: ['z'], shown: 'z', does: 'Zoom all images: fit or 100%', run: () => comparison.zoom.toggle() },
  { keys: ['f'], shown: 'f', does: 'Favorite', run: toggleFavorite },
  { keys: ['0', '1', '2', '3', '4', '5'], shown: '0 … 5', does: 'Rate 1 to 5 stars, or clear the rating', run: (key) => rate(Number(key)) },
  { keys: ['s'], shown: 's', does: 'Swap with the next image', run: () => comparison.swap() },
  { keys: ['x', 'Backspace'], shown: 'x', does: 'Remove from comparison', run: () => comparison.drop(comparison.active) },
  { keys: ['a'], shown: 'a', does: 'Show all settings or only differences', run: () => (comparison.everything = !comparison.everything) },
  { keys: ['Enter'], shown: 'Enter', does: 'Open in the viewer', run: () => void comparison.open(comparison.active) },
  { keys: ['Escape', 'c'], shown: 'Esc, c', does: 'Back', run: () => routing.back() },
];
