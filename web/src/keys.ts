/** The one table of keys: it drives the handler, and the sheet behind `?`. */

import { get, type Detail } from './api/client';
import { grid } from './gallery/grid.svelte';
import { library } from './gallery/library.svelte';
import { Selection } from './lib/selection';
import { routing } from './routing.svelte';
import { searching } from './search/searching.svelte';
import { panels } from './shell/panels.svelte';
import { copy } from './ui/copying';
import { isTyping, keyOf, type Shortcut } from './ui/shortcuts';
import { toasts } from './ui/toasts.svelte';
import { zoom } from './viewer/zoom.svelte';

const rate = (stars: number): Shortcut => ({
  keys: [String(stars)],
  shown: String(stars),
  does: stars ? `Rate ${'★'.repeat(stars)}` : 'Clear the rating',
  run: () => void library.mark({ rating: stars }),
});

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['ArrowLeft'], shown: '←', does: 'Newer image', run: () => step(-1, 0) },
  { keys: ['ArrowRight'], shown: '→', does: 'Older image', run: () => step(1, 0) },
  { keys: ['ArrowUp'], shown: '↑', does: 'Row above', run: () => step(0, -1) },
  { keys: ['ArrowDown'], shown: '↓', does: 'Row below', run: () => step(0, 1) },
  { keys: ['PageUp'], shown: 'PgUp', does: 'Screen up', run: () => grid.page(-1) },
  { keys: ['PageDown'], shown: 'PgDn', does: 'Screen down', run: () => grid.page(1) },
  { keys: ['Home'], shown: 'Home', does: 'Newest image', run: () => grid.focus(0) },
  { keys: ['End'], shown: 'End', does: 'Oldest image', run: () => grid.focus(library.view.total - 1) },
  { keys: ['['], shown: '[', does: 'Day after', run: () => grid.section(-1, 'day') },
  { keys: [']'], shown: ']', does: 'Day before', run: () => grid.section(1, 'day') },
  { keys: ['{'], shown: '{', does: 'Month after', run: () => grid.section(-1, 'month') },
  { keys: ['}'], shown: '}', does: 'Month before', run: () => grid.section(1, 'month') },
  { keys: ['g'], shown: 'g', does: 'Go to a date', run: () => (panels.dialog = 'date') },
  { keys: ['Enter', ' '], shown: 'Enter, Space', does: 'Open the viewer', run: toggleViewer },
  { keys: ['z'], shown: 'z', does: 'Zoom in the viewer', run: () => zoom.toggle() },
  { keys: ['f'], shown: 'f', does: 'Favourite', run: toggleFavourite },
  ...[1, 2, 3, 4, 5, 0].map(rate),
  { keys: ['x'], shown: 'x', does: 'Choose the image', run: () => (library.selection = library.selection.toggled(library.focused)) },
  { keys: ['Ctrl+a'], shown: 'Ctrl+A', does: 'Choose everything that matches', run: () => library.selectAll() },
  { keys: ['Escape'], shown: 'Esc', does: 'Choose nothing', run: () => (library.selection = new Selection()) },
  { keys: ['i'], shown: 'i', does: 'How it was made', run: () => panels.toggleInspector() },
  { keys: ['p'], shown: 'p', does: 'Copy the prompt', run: () => void copyOf('prompt', 'Prompt') },
  { keys: ['P'], shown: 'Shift+P', does: 'Copy all parameters', run: () => void copyOf('parameters_text', 'All parameters') },
  { keys: ['/'], shown: '/', does: 'Search', run: () => searching.focus(), anywhere: true },
  { keys: ['Ctrl+z'], shown: 'Ctrl+Z', does: 'Undo', run: () => toasts.undoLast(), anywhere: true },
  { keys: ['?'], shown: '?', does: 'These keys', run: () => (panels.dialog = 'keys'), anywhere: true },
];
const BY_KEY = new Map(SHORTCUTS.flatMap((shortcut) => shortcut.keys.map((key) => [key, shortcut] as const)));

export function onKey(event: KeyboardEvent): void {
  if (isTyping(event) || event.defaultPrevented || event.altKey || panels.dialog) return;
  const key = keyOf(event);
  const pressed = event.target instanceof Element && event.target.closest('button, summary, a') !== null;
  if ((key === 'Enter' || key === ' ') && pressed) return;
  if (routing.viewing && key === 'Escape') return;
  const shortcut = BY_KEY.get(key);
  if (!shortcut || !(routing.inLibrary || shortcut.anywhere)) return;
  event.preventDefault();
  shortcut.run();
}

function step(columns: number, rows: number): void {
  if (!routing.viewing) grid.move(columns, rows);
  else library.focused = Math.max(0, Math.min(library.view.total - 1, library.focused + (columns || Math.sign(rows))));
}

function toggleViewer(): void {
  if (routing.viewing) routing.closeViewer();
  else routing.openViewer(library.focused);
}

function toggleFavourite(): void {
  void library.mark({ favorite: !library.pages.item(library.focused)?.favorite });
}

async function copyOf(what: 'prompt' | 'parameters_text', name: string): Promise<void> {
  const uuid = library.uuidOf(library.focused);
  if (!uuid) return;
  const detail = await get<Detail>(`/api/generations/${uuid}`);
  await copy(detail[what] ?? '', name);
}
