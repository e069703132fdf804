/** Keyboard shortcuts of culling. */

import type { Shortcut } from '../../ui/shortcuts';
import { zoom } from '../viewer/zoom.svelte';
import { cullSession } from './session.svelte';

export const CULL_KEYS: readonly Shortcut[] = [
  { keys: ['k', ' '], shown: 'k, Space', does: 'Keep and go to the next image', run: () => cullSession.decide('keep') },
  { keys: ['x', 'Delete'], shown: 'x, Del', does: 'Reject and go to the next image', run: () => cullSession.decide('reject') },
  { keys: ['1', '2', '3', '4', '5'], shown: '1 … 5', does: 'Rate 1 to 5 stars, keep and go to the next image', run: (key) => cullSession.mark({ rating: Number(key) }) },
  { keys: ['f'], shown: 'f', does: 'Add to favorites, keep and go to the next image', run: () => cullSession.mark({ favorite: true }) },
  { keys: ['ArrowLeft'], shown: '←', does: 'Previous image', run: () => cullSession.go(cullSession.at - 1), repeats: true },
  { keys: ['ArrowRight'], shown: '→', does: 'Next image, leave undecided', run: () => cullSession.go(cullSession.at + 1), repeats: true },
  { keys: ['Home'], shown: 'Home', does: 'First image', run: () => cullSession.go(0) },
  { keys: ['End'], shown: 'End', does: 'Last image', run: () => cullSession.go(cullSession.total - 1) },
  { keys: ['Backspace', 'Ctrl+z'], shown: 'Backspace', does: 'Undo the last decision', run: () => void cullSession.takeBack() },
  { keys: ['u'], shown: 'u', does: 'Show only unrated images, or all images', run: () => void cullSession.toggleUnrated() },
  { keys: ['z'], shown: 'z', does: 'Fit or 100%', run: () => zoom.toggle() },
  { keys: ['Enter'], shown: 'Enter', does: 'Finish and review rejected images', run: () => (cullSession.ending = true) },
  { keys: ['Escape'], shown: 'Esc', does: 'Back to the library at this image', run: () => cullSession.leave() },
];
