/** The keys of culling. */

import type { Shortcut } from '../../ui/shortcuts';
import { zoom } from '../viewer/zoom.svelte';
import { cullSession } from './session.svelte';

export const CULL_KEYS: readonly Shortcut[] = [
  { keys: ['k', ' '], shown: 'k, Space', does: 'Keep it, and on', run: () => cullSession.decide('keep') },
  { keys: ['x', 'Delete'], shown: 'x, Del', does: 'Reject it, and on', run: () => cullSession.decide('reject') },
  { keys: ['1', '2', '3', '4', '5'], shown: '1 … 5', does: 'Keep it with so many stars, and on', run: (key) => cullSession.mark({ rating: Number(key) }) },
  { keys: ['f'], shown: 'f', does: 'Keep it as a favourite, and on', run: () => cullSession.mark({ favorite: true }) },
  { keys: ['ArrowLeft'], shown: '←', does: 'Image before', run: () => cullSession.go(cullSession.at - 1), repeats: true },
  { keys: ['ArrowRight'], shown: '→', does: 'Image after, without deciding', run: () => cullSession.go(cullSession.at + 1), repeats: true },
  { keys: ['Home'], shown: 'Home', does: 'First image', run: () => cullSession.go(0) },
  { keys: ['End'], shown: 'End', does: 'Last image', run: () => cullSession.go(cullSession.total - 1) },
  { keys: ['Backspace', 'Ctrl+z'], shown: 'Backspace', does: 'Take the last decision back', run: () => void cullSession.takeBack() },
  { keys: ['u'], shown: 'u', does: 'Only images without stars and heart, or all', run: () => void cullSession.toggleUnrated() },
  { keys: ['z'], shown: 'z', does: 'Zoom', run: () => zoom.toggle() },
  { keys: ['Enter'], shown: 'Enter', does: 'To the end: what goes to the Trash', run: () => (cullSession.ending = true) },
  { keys: ['Escape'], shown: 'Esc', does: 'Back to the list, at this image', run: () => cullSession.leave() },
];
