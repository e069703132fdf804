/** The tables of keys: they drive the handler, and the sheet behind `?`. */

import { get, type Detail } from '../api/client';
import { shift, takeOut } from '../features/collections/order';
import { comparison, COMPARE } from '../features/compare/comparison.svelte';
import { COMPARE_KEYS } from '../features/compare/keys';
import { CULL_KEYS } from '../features/cull/keys';
import { CULL, cullSession } from '../features/cull/session.svelte';
import { deleteForever, mark, restore, toggleFavourite, trash } from '../features/gallery/actions';
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
  { keys: ['ArrowLeft'], shown: '←', does: 'Image before', run: () => step(-1, 0), repeats: true },
  { keys: ['ArrowRight'], shown: '→', does: 'Image after', run: () => step(1, 0), repeats: true },
  { keys: ['ArrowUp'], shown: '↑', does: 'Row above', run: () => step(0, -1), repeats: true },
  { keys: ['ArrowDown'], shown: '↓', does: 'Row below', run: () => step(0, 1), repeats: true },
  { keys: ['Shift+ArrowLeft'], shown: 'Shift+←', does: 'Choose on to the left', run: () => extend(-1, 0), repeats: true },
  { keys: ['Shift+ArrowRight'], shown: 'Shift+→', does: 'Choose on to the right', run: () => extend(1, 0), repeats: true },
  { keys: ['Shift+ArrowUp'], shown: 'Shift+↑', does: 'Choose up to the row above', run: () => extend(0, -1), repeats: true },
  { keys: ['Shift+ArrowDown'], shown: 'Shift+↓', does: 'Choose down to the row below', run: () => extend(0, 1), repeats: true },
  { keys: ['PageUp'], shown: 'PgUp', does: 'Screen up', run: () => turn(-1), repeats: true },
  { keys: ['PageDown'], shown: 'PgDn', does: 'Screen down', run: () => turn(1), repeats: true },
  { keys: ['Home'], shown: 'Home', does: 'First image', run: () => go(0) },
  { keys: ['End'], shown: 'End', does: 'Last image', run: () => go(library.view.total - 1) },
  { keys: ['['], shown: '[', does: 'Day after', run: () => grid.section(-1, 'day'), repeats: true },
  { keys: [']'], shown: ']', does: 'Day before', run: () => grid.section(1, 'day'), repeats: true },
  { keys: ['{'], shown: '{', does: 'Month after', run: () => grid.section(-1, 'month'), repeats: true },
  { keys: ['}'], shown: '}', does: 'Month before', run: () => grid.section(1, 'month'), repeats: true },
  { keys: ['g'], shown: 'g', does: 'Go to a date', run: () => (panels.dialog = 'date') },
  { keys: ['Enter'], shown: 'Enter', does: 'Open the viewer, or close it', run: toggleViewer },
  { keys: [' '], shown: 'Space', does: 'Look at it, for as long as it is held; tapped, like Enter', run: (_, at_ms) => glance(at_ms), release: endGlance },
  { keys: ['z'], shown: 'z', does: 'Zoom in the viewer', run: () => zoom.toggle() },
  { keys: ['f'], shown: 'f', does: 'Favourite', run: () => void toggleFavourite() },
  { keys: ['1', '2', '3', '4', '5'], shown: '1 … 5', does: 'Rate with so many stars', run: (key) => rate(Number(key)) },
  { keys: ['0'], shown: '0', does: 'Clear the rating', run: () => rate(0) },
  { keys: ['t'], shown: 't', does: 'Tags of the image, or of what is chosen', run: () => library.scope === 'library' && library.view.total && (panels.dialog = 'tags') },
  { keys: ['b'], shown: 'b', does: 'Add to a collection', run: () => library.scope === 'library' && library.view.total && (panels.dialog = 'collect') },
  { keys: ['Backspace'], shown: 'Backspace', does: 'In a collection by hand: take out of it', run: takeOut },
  { keys: [','], shown: ',', does: 'In a collection in your order: one place earlier', run: () => shift(-1) },
  { keys: ['.'], shown: '.', does: 'In a collection in your order: one place later', run: () => shift(1) },
  { keys: ['n'], shown: 'n', does: 'Write a note', run: () => library.view.total && (panels.dialog = 'notes') },
  { keys: ['Delete'], shown: 'Del', does: 'Move to the Trash; in the Trash, delete for good', run: discard },
  { keys: ['Shift+Delete'], shown: 'Shift+Del', does: 'Delete for good, wherever it is', run: () => void deleteForever() },
  { keys: ['r'], shown: 'r', does: 'In the Trash: restore', run: () => library.scope === 'trash' && void restore() },
  { keys: ['x'], shown: 'x', does: 'Choose the image', run: choose },
  { keys: ['Ctrl+a'], shown: 'Ctrl+A', does: 'Choose everything that matches', run: () => library.selectAll() },
  { keys: ['Escape'], shown: 'Esc', does: 'Choose nothing', run: () => (library.selection = new Selection()) },
  { keys: ['i'], shown: 'i', does: 'How it was made', run: () => panels.toggleInspector() },
  { keys: ['c'], shown: 'c', does: 'Compare two to four: those that are chosen, else this and the next', run: () => void comparison.enter() },
  { keys: ['C'], shown: 'Shift+C', does: 'Cull: go through what is chosen, or all, and keep or reject', run: () => cullSession.enter() },
  { keys: ['l'], shown: 'l', does: 'Lineage: what it came from, and what came from it; arrows walk, Enter opens, Esc goes back', run: () => void showLineage() },
  { keys: ['s'], shown: 's', does: 'Similar prompts: images whose prompts mean something like this one’s', run: () => void showSimilar() },
  { keys: ['S'], shown: 'Shift+S', does: 'Similar pictures: images that look like this one', run: () => void showLookalikes() },
  { keys: ['v'], shown: 'v', does: 'Safe view: blur pictures that score as explicit, or no longer', run: () => void blur.toggle() },
  { keys: ['\\'], shown: '\\', does: 'Filters beside the images', run: () => panels.toggleFilters() },
  { keys: ['p'], shown: 'p', does: 'Copy the prompt', run: () => void copyOf('prompt', 'Prompt') },
  { keys: ['P'], shown: 'Shift+P', does: 'Copy all parameters', run: () => void copyOf('parameters_text', 'All parameters') },
  { keys: ['/'], shown: '/', does: 'Search', run: () => searchInput.focus(), anywhere: true },
  { keys: ['Ctrl+z'], shown: 'Ctrl+Z', does: 'Undo', run: () => void toasts.undoLast(), anywhere: true },
  { keys: ['Ctrl+Shift+z', 'Ctrl+y'], shown: 'Ctrl+Shift+Z', does: 'Do again what was undone', run: () => void toasts.redoLast(), anywhere: true },
  { keys: ['?'], shown: '?', does: 'These keys', run: () => (panels.dialog = 'keys'), anywhere: true },
];
interface Sheet {
  name: string;
  /** Where these keys stand before those of the first table. */
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

/** What is chosen is the range from where Shift was first held to the focus. */
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

/** A range that Shift+click ends begins here. */
function choose(): void {
  library.selection = library.selection.toggle(library.focused);
  library.anchor = library.focused;
}

function toggleViewer(): void {
  if (routing.viewing) routing.closeViewer();
  else routing.openViewer(library.focused);
}

/** When Space went down to look at an image; undefined while it does something else. */
let glancedAt_ms: number | undefined;

function glance(at_ms: number): void {
  glancedAt_ms = routing.viewing ? undefined : at_ms;
  toggleViewer();
}

function endGlance(at_ms: number): void {
  if (glancedAt_ms !== undefined && at_ms - glancedAt_ms > HELD_MS && routing.viewing) routing.closeViewer();
  glancedAt_ms = undefined;
}

async function showLineage(): Promise<void> {
  const uuid = await library.focusedUuid();
  if (uuid) routing.lineageOf(uuid);
}

async function showSimilar(): Promise<void> {
  const uuid = await library.focusedUuid();
  if (uuid) routing.similarTo(uuid);
}

async function showLookalikes(): Promise<void> {
  const uuid = await library.focusedUuid();
  if (uuid) routing.looksLike(uuid);
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
  const detail = await get<Detail>(`/api/generations/${uuid}`);
  await copy(detail[what] ?? '', name);
}
