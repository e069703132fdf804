/** Actions on images of the list: shown at once, reported by a toast, undone from it. */

import { post, type EditResult } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import type { Purge } from '../../api/edits';
import { listSelection } from '../../api/selection';
import { messageOf } from '../../lib/errors';
import { formatBytes, formatCount } from '../../lib/format';
import { Selection } from '../../lib/selection';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { runWithProgress, undo } from '../edits/undo';
import { grid } from './grid.svelte';
import { library, ROWS_WITHIN_MS } from './library.svelte';
import type { Pages } from './pages.svelte';
import { routing } from './routing.svelte';

export type Marks = { favorite: boolean } | { rating: number } | { notes: string };

/** Moving more than this to Trash asks first, although it can be undone. */
const MANY = 1_000;
/** Deleting more than this permanently requires typing the number. */
const TYPED_FROM = 100;
/** The size of up to this number of images is shown before deletion. */
const LOOKED_AT = 100;
/** The most images deleted permanently by one request. */
const PIECE = 200;

/** The selection, or the focused image. In the viewer the shown image, whatever is selected. */
export function targetImages(): Selection {
  return routing.viewing || !library.selection.count ? Selection.of(library.focused) : library.selection;
}

/** Edits that remove images from the list run one after the other, because each one is about the list that the last one left. */
let removing: Promise<void> = Promise.resolve();

function runInTurn(edit: () => Promise<void>): Promise<void> {
  removing = removing.then(edit).catch((error: unknown) => toasts.add(messageOf(error)));
  return toasts.during(removing);
}

/** Whether edits are possible now; reports it if not. */
function canEdit(selected: Selection): boolean {
  if (!connection.up) toasts.add('MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.');
  return connection.up && library.view.total > 0 && selected.count > 0;
}

/** Edits reach the server in the order of the keys, so that the last one wins. */
let asking: Promise<unknown> = Promise.resolve();

function inOrder<T>(ask: () => Promise<T>): Promise<T> {
  const answer = asking.then(ask);
  asking = answer.catch(() => undefined);
  return answer;
}

/** Requests one edit over images of the list and follows it until it finishes. */
function bulk(selected: Selection, set: Marks | { trash: boolean }, text: string, { snapshot }: Pages = library.pages): Promise<EditResult> {
  const asked = { snapshot, ...listSelection(selected), set };
  return runWithProgress(text, () => inOrder(() => post('/api/v1/edits', { body: asked })));
}

// -- marks ---------------------------------------------------------------------------------------

export function mark(set: Marks, selected?: Selection): Promise<void> {
  return toasts.during(removing.then(() => applyMarks(set, selected ?? targetImages())));
}

/** All selected images get the opposite of the focused image's state, which must be loaded first. */
export function toggleFavorite(): Promise<void> {
  const toggled = async () => {
    // Meanwhile another list may be shown, where these indexes belong to other images.
    const [index, selected, pages] = [library.focused, targetImages(), library.pages];
    await pages.bring([index], ROWS_WITHIN_MS);
    await applyMarks({ favorite: !pages.item(index)?.favorite }, selected, pages);
  };
  return toasts.during(removing.then(toggled));
}

async function applyMarks(set: Marks, selected: Selection, before = library.pages): Promise<void> {
  if (!canEdit(selected)) return;
  const leaves = mayLeave(set);
  if (!('notes' in set)) before.mark(selected, set);
  try {
    const done = await bulk(selected, set, 'Updating images', before);
    if (done.changed) toasts.add(describeMarks(set, done.changed), () => undo(done.operation, () => refreshList(before, leaves)));
    library.touched++;
    if (leaves && done.changed) await closeUp(library.pages === before ? selected : new Selection());
  } catch (error) {
    before.refresh(null);
    toasts.add(messageOf(error));
  }
}

/** Whether images may no longer match the list's query once they are marked. */
function mayLeave(set: Marks): boolean {
  const field = 'favorite' in set ? 'is' : 'rating' in set ? 'rating' : 'has';
  return library.view.filters.some((filter) => [field, 'collection', 'any'].includes(filter.field));
}

async function refreshList(before: Pages, mayReturn: boolean): Promise<void> {
  library.touched++;
  if (mayReturn || library.pages !== before) await library.renew();
  else before.refresh(null);
}

function describeMarks(set: Marks, changed: number): string {
  if ('favorite' in set) return `${formatCount(changed, 'image')} ${set.favorite ? 'added to' : 'removed from'} favorites`;
  if ('notes' in set) return set.notes ? `Note saved for ${formatCount(changed, 'image')}` : `Note cleared for ${formatCount(changed, 'image')}`;
  return set.rating ? `${formatCount(changed, 'image')} rated ${'★'.repeat(set.rating)}` : `Rating cleared for ${formatCount(changed, 'image')}`;
}

// -- Trash, restore and permanent deletion ---------------------------------------------------------

export function trash(selected?: Selection): Promise<void> {
  return runInTurn(() => moveToTrash(selected ?? targetImages(), true));
}

export function restore(selected?: Selection): Promise<void> {
  return runInTurn(() => moveToTrash(selected ?? targetImages(), false));
}

async function moveToTrash(selected: Selection, trash: boolean): Promise<void> {
  if (!canEdit(selected) || (library.scope === 'trash') === trash) return;
  if (trash && selected.count > MANY && !(await confirmMove(selected.count))) return;
  const uuid = library.uuidOf(library.focused);
  const done = await fadeWhile(selected, () => bulk(selected, { trash }, trash ? 'Moving to Trash' : 'Restoring'));
  const stayed = done.total - done.changed;
  const kept = trash && stayed ? `; ${formatCount(stayed, 'image')} skipped (protected or already in Trash)` : '';
  const text = trash ? `${formatCount(done.changed, 'image')} moved to Trash${kept}` : `${formatCount(done.changed, 'image')} restored`;
  if (done.changed) toasts.add(text, () => undo(done.operation, () => returnTo(uuid)));
  else toasts.add(trash ? 'Nothing to move: already in Trash.' : 'Nothing to restore: no longer in Trash.');
}

function confirmMove(count: number): Promise<boolean> {
  const text = 'Their files stay in place until they are deleted permanently. You can undo this.';
  return confirmation.ask({ title: `Move ${formatCount(count, 'image')} to Trash?`, text, act: 'Move to Trash' });
}

/** The images fade while they leave; then the list closes up and the next image is focused. */
async function fadeWhile<T>(selected: Selection, edit: () => Promise<T>): Promise<T> {
  library.leaving = selected;
  try {
    const done = await edit();
    await closeUp(selected);
    return done;
  } finally {
    library.leaving = new Selection();
  }
}

async function closeUp(gone: Selection): Promise<void> {
  await library.renew(gone);
  if (routing.viewing && !library.view.total) routing.closeViewer();
  else if (routing.inList && !routing.viewing) grid.focus(library.focused);
}

/** After an undo or a redo: the current list, at the affected image if it contains it. */
async function returnTo(uuid: string | undefined): Promise<void> {
  await library.renew(undefined, uuid);
  if (routing.inList && !routing.viewing && library.view.total) grid.focus(library.focused);
}

export function deleteForever(selected?: Selection): Promise<void> {
  return runInTurn(() => deleteSelected(selected ?? targetImages()));
}

export function emptyTrash(): Promise<void> {
  return deleteForever(new Selection().withRange(0, library.view.total - 1));
}

async function deleteSelected(selected: Selection): Promise<void> {
  if (!canEdit(selected)) return;
  const { count } = selected;
  const { pages } = library;
  const question = {
    title: `Delete ${formatCount(count, 'image')} permanently?`,
    text: await describeDeletion(selected, pages),
    act: 'Delete permanently',
    ...(count > TYPED_FROM ? { typed: String(count) } : {}),
  };
  if (!(await confirmation.ask(question))) return;
  const purge = await fadeWhile(selected, async () => {
    if (library.scope === 'library') await bulk(selected, { trash: true }, 'Moving to Trash', pages);
    return purgePieces(selected, pages);
  });
  const stays = purge.kept[0];
  const kept = stays ? ` ${formatCount(purge.kept.length, 'image')} ${purge.kept.length === 1 ? 'was' : 'were'} kept in Trash: ${stays[1]}` : '';
  toasts.add(`${formatCount(purge.images, 'image')} permanently deleted.${kept}`);
}

async function describeDeletion(selected: Selection, pages: Pages): Promise<string> {
  const what = selected.count === 1 ? 'The file is moved' : 'The files are moved';
  let size = '';
  let beside = '';
  if (library.scope === 'trash' && selected.count <= LOOKED_AT) {
    const look = await purgePiece(selected, pages, true);
    size = ` (${formatBytes(look.bytes)})`;
    if (look.beside.length) beside = ` ${formatCount(look.beside.length, 'text file')} next to ${selected.count === 1 ? 'it' : 'them'} ${look.beside.length === 1 ? 'is' : 'are'} kept.`;
  }
  return `${what} to your system’s trash${size}. The prompt, tags, rating and notes are removed from MystiCanvas.${beside} You cannot undo this in MystiCanvas.`;
}

async function purgePieces(selected: Selection, pages: Pages): Promise<Pick<Purge, 'images' | 'kept'>> {
  const pieces = selected.pieces(PIECE);
  const tell = pieces.length > 1 ? toasts.work('Deleting permanently') : undefined;
  const all: Pick<Purge, 'images' | 'kept'> = { images: 0, kept: [] };
  try {
    for (const [number, piece] of pieces.entries()) {
      tell?.(number / pieces.length);
      const done = await purgePiece(piece, pages, false);
      all.images += done.images;
      all.kept.push(...done.kept);
    }
  } finally {
    tell?.();
  }
  return all;
}

function purgePiece(selected: Selection, { snapshot }: Pages, dry: boolean): Promise<Purge> {
  return post('/api/v1/trash:purge', { body: { snapshot, ...listSelection(selected), dry_run: dry } });
}
