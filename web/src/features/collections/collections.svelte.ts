/** All collections, as the panel and the dialogs show them, and the edits on them. */

import { type EditResult, type Schemas, del, get, patch, post } from '../../api/client';
import type { Collection } from '../../api/collections';
import { invalidation } from '../../api/invalidation.svelte';
import { messageOf } from '../../lib/errors';
import { formatCount } from '../../lib/format';
import { Selection } from '../../lib/selection';
import { bulk, runEdit, pickImages, refreshList } from '../edits/edits';
import { library, ROWS_WITHIN_MS } from '../gallery/library.svelte';
import { routing } from '../gallery/routing.svelte';
import { isIn, type Place, rowsOf } from './tree';

const CLOSED = 'closed collections';

export type Changes = Schemas['CollectionEditRequest'];

class Collections {
  list = $state.raw<readonly Collection[]>([]);
  loaded = $state(false);
  problem = $state('');
  closed = $state.raw<ReadonlySet<string>>(new Set((localStorage.getItem(CLOSED) ?? '').split(' ')));
  rows = $derived(rowsOf(this.list, this.closed));
  /** The collection that the library shows, if its query is just that collection. */
  current = $derived.by(() => {
    const [chip, ...others] = library.view.filters.filter((one) => one.field !== 'sort');
    if (!chip || others.length || library.view.words.length || library.scope !== 'library') return undefined;
    return this.list.find((one) => chip.text === one.text.replace(/ sort:\S+$/, '') || chip.text === `collection:${one.uuid}`);
  });
  /** Whether the library shows it in manual order, so that it can be rearranged. */
  arranged = $derived(this.current?.kind === 'manual' && library.view.sort === 'manual');
  private asked = 0;

  async load(): Promise<void> {
    const asked = ++this.asked;
    try {
      const { collections } = await get('/api/v1/collections');
      if (asked === this.asked) [this.list, this.loaded, this.problem] = [collections, true, ''];
    } catch (error) {
      this.problem = messageOf(error, 'Could not load the collections.');
    }
  }

  nameOf(uuid: string): string {
    return this.list.find((one) => one.uuid === uuid)?.name ?? 'the collection';
  }

  setOpen(uuid: string, open: boolean): void {
    const closed = new Set(this.closed);
    if (open) closed.delete(uuid);
    else closed.add(uuid);
    this.closed = closed;
    localStorage.setItem(CLOSED, [...closed].join(' '));
  }

  show(one: Collection): void {
    routing.search(one.text);
  }

  // -- the collections themselves ----------------------------------------------------------------

  /** The uuid of the new collection; undefined if it was refused. */
  async create(made: Schemas['CollectionCreationRequest'], refused?: (sentence: string) => void): Promise<string | undefined> {
    const done = await this.changeTree(() => post('/api/v1/collections', { body: made }), `Collection “${made.name}” created`, refused);
    if (made.parent) this.setOpen(made.parent, true);
    return done?.uuid;
  }

  async edit(one: Collection, changes: Changes, message: string, refused?: (sentence: string) => void): Promise<boolean> {
    return Boolean(await this.changeTree(() => patch('/api/v1/collections/{uuid}', { params: { path: { uuid: one.uuid } }, body: changes }), message, refused));
  }

  async move(one: Collection, place: Place): Promise<void> {
    if (place.parent) this.setOpen(place.parent, true);
    await this.edit(one, place, place.parent === one.parent ? `“${one.name}” moved` : place.parent ? `“${one.name}” moved into “${this.nameOf(place.parent)}”` : `“${one.name}” moved to the top level`);
  }

  async remove(one: Collection): Promise<void> {
    const shown = this.current && isIn(this.list, this.current.uuid, one.uuid);
    const done = await this.changeTree(() => del('/api/v1/collections/{uuid}', { params: { path: { uuid: one.uuid } } }), `Collection “${one.name}” deleted; its images are kept`);
    if (done && shown && this.current?.uuid === one.uuid) routing.search('');
  }

  async freeze(one: Collection): Promise<void> {
    await this.changeTree(() => post('/api/v1/collections/{uuid}:convert-to-manual', { params: { path: { uuid: one.uuid } } }), `“${one.name}” converted to manual`);
    const now = this.list.find((other) => other.uuid === one.uuid);
    if (now && this.current?.uuid === one.uuid) this.show(now);
  }

  private changeTree<D extends EditResult>(ask: () => Promise<D>, message: string, refused?: (sentence: string) => void): Promise<D | undefined> {
    const then = (): Promise<void> => this.refresh(new Selection());
    return runEdit({ text: 'Updating collection', ask, describe: () => message, then, ...(refused ? { refused } : {}) });
  }

  private async refresh(selected: Selection): Promise<void> {
    invalidation.mark('collections', 'counts');
    await Promise.all([this.load(), refreshList(selected)]);
  }

  // -- their images ------------------------------------------------------------------------------

  async collect(uuid: string, selected: Selection): Promise<void> {
    const name = this.nameOf(uuid);
    const describe = ({ changed }: EditResult): string => (changed ? `${formatCount(changed, 'image')} added to “${name}”` : `Already in “${name}”`);
    const ask = (): Promise<EditResult> => bulk(pickImages(selected), { collect: uuid });
    await runEdit({ text: `Adding to “${name}”`, ask, describe, then: () => this.refresh(selected) });
  }

  async removeFromCollection(uuid: string, selected: Selection): Promise<void> {
    const name = this.nameOf(uuid);
    const describe = ({ changed }: EditResult): string => (changed ? `${formatCount(changed, 'image')} removed from “${name}”` : '');
    const ask = (): Promise<EditResult> => bulk(pickImages(selected), { uncollect: uuid });
    library.leaving = selected;
    await runEdit({ text: `Removing from “${name}”`, ask, describe, then: () => this.refresh(selected) });
    library.leaving = new Selection();
  }

  /** Moves images before the one at index `before`, or to the end if it is past the last. */
  async arrange(selected: Selection, before: number): Promise<void> {
    const one = this.current;
    if (!one || !this.arranged) return;
    // The rows may not be loaded yet; meanwhile the list may change, and with it the indexes.
    const { pages, view, focused } = library;
    await pages.bring([...indexes(selected), before], ROWS_WITHIN_MS);
    const moving = indexes(selected).map((index) => pages.item(index)?.uuid).filter((uuid) => uuid !== undefined);
    const next = pages.item(before)?.uuid;
    if (!moving.length || (next && moving.includes(next)) || (!next && before < view.total)) return;
    const at = pages.item(focused)?.uuid;
    const then = async (): Promise<void> => {
      invalidation.mark('collections');
      await library.renew(new Selection(), at);
    };
    const asked = { images: moving, ...(next ? { before: next } : {}) };
    const describe = (): string => `${formatCount(moving.length, 'image')} moved within “${one.name}”`;
    await runEdit({ text: 'Moving images', ask: () => post('/api/v1/collections/{uuid}:reorder', { params: { path: { uuid: one.uuid } }, body: asked }), describe, then });
  }
}

/** The most images that one request may move. */
const MOST_MOVED = 1_000;

export function indexes(selected: Selection): number[] {
  const found: number[] = [];
  for (const [from, end] of selected.ranges) {
    for (let index = from; index < end && found.length < MOST_MOVED; index++) if (selected.has(index)) found.push(index);
  }
  return found;
}

export const collections = new Collections();
