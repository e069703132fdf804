/** The tables of keyboard shortcuts: they drive the handler and the sheet behind `?`. */

import { get, type Detail } from '../api/client';
import { shift, removeFromCollection } from '../features/collections/order';
import { comparison, COMPARE } from '../features/compare/comparison.svelte';
import { COMPARE_KEYS } from '../features/compare/keys';
import { CULL_KEYS } from '../features/cull/keys';
import { CULL, cullSession } from '../features/cull/session.svelte';
import { deleteForever, mark, restore, toggleFavorite, trash } from '../features/gallery/actions';
import { grid } from '../features/gallery/grid.svelte';
import { library } from '../features/gallery/library.svelte';
import { panels } from '../features/gallery/panels.svelte';
import { routing } from '../features/gallery/routing.svelte';
import { searchInput } from '../features/search/searchInput.svelte';
import { zoom } from '../features/viewer/zoom.svelte';
import { blur } from '../features/vision/blur.svelte';
import { Selection } from '../lib/selection';
import { copy } from '../ui/clipboard';
import { confirmation } from '../ui/confirmation.svelte';
import { isTyping, keyOf, type Shortcut } from '../ui/shortcuts';
import { toasts } from '../ui/toasts.svelte';

/** Space that is down for longer is held, not tapped. */
const HELD_MS = 350;

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['ArrowLeft'], shown: '←', does: 'Previous image', run: () => step(-1, 0), repeats: true },
  { keys: ['ArrowRight'], shown: '→', does: 'Next image', run: () => step(1, 0), repeats: true },
  { keys: ['ArrowUp'], shown: '↑', does: 'Row above', run: () => step(0, -1), repeats: true },
  { keys: ['ArrowDown'], shown: '↓', does: 'Row below', run: () => step(0, 1), repeats: true },
  { keys: ['Shift+ArrowLeft'], shown: 'Shift+←', does: 'Extend selection left', run: () => extend(-1, 0), repeats: true },
  { keys: ['Shift+ArrowRight'], shown: 'Shift+→', does: 'Extend selection right', run: () => extend(1, 0), repeats: true },
  { keys: ['Shift+ArrowUp'], shown: 'Shift+↑', does: 'Extend selection up one row', run: () => extend(0, -1), repeats: true },
  { keys: ['Shift+ArrowDown'], shown: 'Shift+↓', does: 'Extend selection down one row', run: () => extend(0, 1), repeats: true },
  { keys: ['PageUp'], shown: 'PgUp', does: 'Scroll up one screen', run: () => turn(-1), repeats: true },
  { keys: ['PageDown'], shown: 'PgDn', does: 'Scroll down one screen', run: () => turn(1), repeats: true },
  { keys: ['Home'], shown: 'Home', does: 'First image', run: () => go(0) },
  { keys: ['End'], shown: 'End', does: 'Last image', run: () => go(library.view.total - 1) },
  { keys: ['['], shown: '[', does: 'Jump up one day', run: () => grid.section(-1, 'day'), repeats: true },
  { keys: [']'], shown: ']', does: 'Jump down one day', run: () => grid.section(1, 'day'), repeats: true },
  { keys: ['{'], shown: '{', does: 'Jump up one month', run: () => grid.section(-1, 'month'), repeats: true },
  { keys: ['}'], shown: '}', does: 'Jump down one month', run: () => grid.section(1, 'month'), repeats: true },
  { keys: ['g'], shown: 'g', does: 'Go to date', run: () => (panels.dialog = 'date') },
  { keys: ['Enter'], shown: 'Enter', does: 'Open or close the viewer', run: toggleViewer },
  { keys: [' '], shown: 'Space', does: 'Hold to preview; press to open or close the viewer', run: (_, at_ms) => preview(at_ms), release: endPreview },
  { keys: ['z'], shown: 'z', does: 'In the viewer: fit or 100%', run: () => zoom.toggle() },
  { keys: ['f'], shown: 'f', does: 'Favorite', run: () => void toggleFavorite() },
  { keys: ['1', '2', '3', '4', '5'], shown: '1 … 5', does: 'Rate 1 to 5 stars', run: (key) => rate(Number(key)) },
  { keys: ['0'], shown: '0', does: 'Clear rating', run: () => rate(0) },
  { keys: ['t'], shown: 't', does: 'Edit tags of the image or selection', run: () => library.scope === 'library' && library.view.total && (panels.dialog = 'tags') },
  { keys: ['b'], shown: 'b', does: 'Add to collection', run: () => library.scope === 'library' && library.view.total && (panels.dialog = 'collect') },
  { keys: ['Backspace'], shown: 'Backspace', does: 'Remove from this manual collection', run: removeFromCollection },
  { keys: [','], shown: ',', does: 'In manual order: move one place earlier', run: () => shift(-1) },
  { keys: ['.'], shown: '.', does: 'In manual order: move one place later', run: () => shift(1) },
  { keys: ['n'], shown: 'n', does: 'Edit note', run: () => library.view.total && (panels.dialog = 'notes') },
  { keys: ['Delete'], shown: 'Del', does: 'Move to Trash; in Trash: delete permanently', run: discard },
  { keys: ['Shift+Delete'], shown: 'Shift+Del', does: 'Delete permanently', run: () => void deleteForever() },
  { keys: ['r'], shown: 'r', does: 'In Trash: restore', run: () => library.scope === 'trash' && void restore() },
  { keys: ['x'], shown: 'x', does: 'Select or deselect the image', run: choose },
  { keys: ['Ctrl+a'], shown: 'Ctrl+A', does: 'Select all matching images', run: () => library.selectAll() },
  { keys: ['Escape'], shown: 'Esc', does: 'Clear selection', run: () => (library.selection = new Selection()) },
  { keys: ['i'], shown: 'i', does: 'Show or hide the inspector', run: () => panels.toggleInspector() },
  { keys: ['c'], shown: 'c', does: 'Compare two to four selected images, or this one and the next', run: () => void comparison.enter() },
  { keys: ['C'], shown: 'Shift+C', does: 'Cull: keep or reject the selected images, or all', run: () => cullSession.enter() },
  { keys: ['l'], shown: 'l', does: 'Lineage: sources and derived images (arrow keys move, Enter opens, Esc goes back)', run: () => void showLineage() },
  { keys: ['s'], shown: 's', does: 'Find images with similar prompts', run: () => void showSimilar() },
  { keys: ['S'], shown: 'Shift+S', does: 'Find visually similar images', run: () => void showVisuallySimilar() },
  { keys: ['v'], shown: 'v', does: 'Turn NSFW blur on or off', run: () => void blur.toggle() },
  { keys: ['\\'], shown: '\\', does: 'Show or hide filters', run: () => panels.toggleFilters() },
  { keys: ['p'], shown: 'p', does: 'Copy prompt', run: () => void copyOf('prompt', 'Prompt') },
  { keys: ['P'], shown: 'Shift+P', does: 'Copy generation data', run: () => void copyOf('parameters_text', 'Generation data') },
  { keys: ['/'], shown: '/', does: 'Search', run: () => searchInput.focus(), anywhere: true },
  { keys: ['Ctrl+z'], shown: 'Ctrl+Z', does: 'Undo', run: () => void toasts.undoLast(), anywhere: true },
  { keys: ['Ctrl+Shift+z', 'Ctrl+y'], shown: 'Ctrl+Shift+Z', does: 'Redo', run: () => void toasts.redoLast(), anywhere: true },
  { keys: ['?'], shown: '?', does: 'Show keyboard shortcuts', run: () => (panels.dialog = 'keys'), anywhere: true },
];
interface Sheet {
  name: string;
  /** The path where these shortcuts take precedence over the first table. */
  path?: string;
  shortcuts: readonly Shortcut[];
}
export const SHEETS: readonly Sheet[] = [
  { name: 'Images', shortcuts: SHORTCUTS },
  { name: 'Cull', path: CULL, shortcuts: CULL_KEYS },
  { name: 'Compare', path: COMPARE, shortcuts: COMPARE_KEYS },
];
const BY_KEY = new Map(SHORTCUTS.flatMap((shortcut) => shortcut.keys.map((key) => [key, shortcut] as const)));

export function onKey(event: KeyboardEvent): void {
  if (isTyping(event) || event.defaultPrevented || event.altKey || panels.dialog || confirmation.asked || cullSession.ending) return;
  const key = keyOf(event);
  const pressed = event.target instanceof Element && event.target.closest('button, summary, a') !== null;
  if ((key === 'Enter' || key === ' ') && pressed) return;
  if (routing.viewing && key === 'Escape') return;
  const shortcut = SHEETS.find(({ path }) => path === routing.path)?.shortcuts.find(({ keys }) => keys.includes(key)) ?? general(key);
  if (!shortcut) return;
  event.preventDefault();
  if (!event.repeat || shortcut.repeats) shortcut.run(key, event.timeStamp);
}

function general(key: string): Shortcut | undefined {
  const shortcut = BY_KEY.get(key);
  return routing.inList || shortcut?.anywhere ? shortcut : undefined;
}

export function onKeyUp(event: KeyboardEvent): void {
  if (!isTyping(event)) BY_KEY.get(keyOf(event))?.release?.(event.timeStamp);
}

/** Selects the range from the anchor of the Shift selection to the focus. */
function extend(columns: number, rows: number): void {
  if (routing.viewing) return;
  if (!library.selection.count) library.anchor = library.focused;
  grid.move(columns, rows);
  library.selection = new Selection().withRange(library.anchor, library.focused);
}

function step(columns: number, rows: number): void {
  if (routing.viewing) go(library.focused + (columns || Math.sign(rows)));
  else grid.move(columns, rows);
}

function go(index: number): void {
  if (routing.viewing) library.focused = Math.max(0, Math.min(library.view.total - 1, index));
  else grid.focus(index);
}

function turn(direction: 1 | -1): void {
  if (!routing.viewing) grid.page(direction);
}

/** A range selected with Shift+click starts here. */
function choose(): void {
  library.selection = library.selection.toggle(library.focused);
  library.anchor = library.focused;
}

function toggleViewer(): void {
  if (routing.viewing) routing.closeViewer();
  else routing.openViewer(library.focused);
}

/** When Space was pressed to preview an image; undefined otherwise. */
let previewedAt_ms: number | undefined;

function preview(at_ms: number): void {
  previewedAt_ms = routing.viewing ? undefined : at_ms;
  toggleViewer();
}

function endPreview(at_ms: number): void {
  if (previewedAt_ms !== undefined && at_ms - previewedAt_ms > HELD_MS && routing.viewing) routing.closeViewer();
  previewedAt_ms = undefined;
}

async function showLineage(): Promise<void> {
  const uuid = await library.focusedUuid();
  if (uuid) routing.lineageOf(uuid);
}

async function showSimilar(): Promise<void> {
  const uuid = await library.focusedUuid();
  if (uuid) routing.similarTo(uuid);
}

async function showVisuallySimilar(): Promise<void> {
  const uuid = await library.focusedUuid();
  if (uuid) routing.findVisuallySimilar(uuid);
}

function rate(stars: number): void {
  void mark({ rating: stars });
}

function discard(): void {
  void (library.scope === 'trash' ? deleteForever() : trash());
}

async function copyOf(what: 'prompt' | 'parameters_text', name: string): Promise<void> {
  const uuid = await library.focusedUuid();
  if (!uuid) return;
  const detail = await get('/api/v1/images/{uuid}', { params: { path: { uuid } } });
  await copy(detail[what] ?? '', name);
}
