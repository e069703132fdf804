/** The keys of comparing. */

import { routing } from '../routing.svelte';
import type { Shortcut } from '../ui/shortcuts';
import { comparing } from './comparing.svelte';

function favour(): void {
  const on = !comparing.details[comparing.active]?.is_favorite;
  void comparing.mark(comparing.active, { favorite: on }, `1 image ${on ? 'added to' : 'removed from'} favourites`);
}

function rate(stars: number): void {
  void comparing.mark(comparing.active, { rating: stars }, stars ? `1 image rated ${'★'.repeat(stars)}` : 'Rating of 1 image cleared');
}

export const COMPARE_KEYS: readonly Shortcut[] = [
  { keys: ['ArrowLeft'], shown: '←', does: 'Image before', run: () => comparing.go(comparing.active - 1) },
  { keys: ['ArrowRight'], shown: '→', does: 'Image after', run: () => comparing.go(comparing.active + 1) },
  { keys: ['z'], shown: 'z', does: 'Zoom all of them', run: () => comparing.zoom.toggle() },
  { keys: ['f'], shown: 'f', does: 'Favourite', run: favour },
  { keys: ['0', '1', '2', '3', '4', '5'], shown: '0 … 5', does: 'Rate with so many stars', run: (key) => rate(Number(key)) },
  { keys: ['s'], shown: 's', does: 'Change places with the next', run: () => comparing.swap() },
  { keys: ['x', 'Backspace'], shown: 'x', does: 'Take it out of the comparison', run: () => comparing.drop(comparing.active) },
  { keys: ['a'], shown: 'a', does: 'All settings, or only those that differ', run: () => (comparing.everything = !comparing.everything) },
  { keys: ['Enter'], shown: 'Enter', does: 'Open it in the viewer', run: () => void comparing.open(comparing.active) },
  { keys: ['Escape', 'c'], shown: 'Esc, c', does: 'Back to where one was', run: () => routing.back() },
];
