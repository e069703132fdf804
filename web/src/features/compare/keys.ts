/** The keys of comparing images. */

import type { Shortcut } from '../../ui/shortcuts';
import { routing } from '../gallery/routing.svelte';
import { comparison } from './comparison.svelte';

function favour(): void {
  const on = !comparison.details[comparison.active]?.is_favorite;
  void comparison.mark(comparison.active, { favorite: on }, `1 image ${on ? 'added to' : 'removed from'} favourites`);
}

function rate(stars: number): void {
  void comparison.mark(comparison.active, { rating: stars }, stars ? `1 image rated ${'★'.repeat(stars)}` : 'Rating of 1 image cleared');
}

export const COMPARE_KEYS: readonly Shortcut[] = [
  { keys: ['ArrowLeft'], shown: '←', does: 'Image before', run: () => comparison.go(comparison.active - 1) },
  { keys: ['ArrowRight'], shown: '→', does: 'Image after', run: () => comparison.go(comparison.active + 1) },
  { keys: ['z'], shown: 'z', does: 'Zoom all of them', run: () => comparison.zoom.toggle() },
  { keys: ['f'], shown: 'f', does: 'Favourite', run: favour },
  { keys: ['0', '1', '2', '3', '4', '5'], shown: '0 … 5', does: 'Rate with so many stars', run: (key) => rate(Number(key)) },
  { keys: ['s'], shown: 's', does: 'Change places with the next', run: () => comparison.swap() },
  { keys: ['x', 'Backspace'], shown: 'x', does: 'Take it out of the comparison', run: () => comparison.drop(comparison.active) },
  { keys: ['a'], shown: 'a', does: 'All settings, or only those that differ', run: () => (comparison.everything = !comparison.everything) },
  { keys: ['Enter'], shown: 'Enter', does: 'Open it in the viewer', run: () => void comparison.open(comparison.active) },
  { keys: ['Escape', 'c'], shown: 'Esc, c', does: 'Back to where one was', run: () => routing.back() },
];
