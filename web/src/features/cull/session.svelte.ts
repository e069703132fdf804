/**
 * Culling: keep, reject or rate images one by one.
 *
 * Rejected images are only remembered, and moved to Trash at the end as one edit: decisions can be changed on the
 * way, nothing moves in view, and a single undo restores all of them. Ratings and favorites are saved at once.
 */

import { get, post, type EditResult } from '../../api/client';
import { narrow } from '../../api/selection';
import { messageOf } from '../../lib/errors';
import { formatCount, formatNumber } from '../../lib/format';
import { Selection } from '../../lib/selection';
import { announcer } from '../../ui/announcer.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { runWithProgress, undo } from '../edits/undo';
import { type Marks } from '../gallery/actions';
import { library, ROWS_WITHIN_MS } from '../gallery/library.svelte';
import { Pages, type Item } from '../gallery/pages.svelte';
import { routing } from '../gallery/routing.svelte';
import { zoom } from '../viewer/zoom.svelte';

export const CULL = '/cull';
export type Verdict = 'keep' | 'reject';
const UNRATED = 'rating:0 -is:favorite';
const NEAR = 10;
/** The most images that one request may list. */
const PIECE = 10_000;

/** A decision, kept so that it can be undone. */
interface Decision {
  at: number;
  uuid: string;
  before: Verdict | undefined;
  edit: Promise<EditResult> | undefined;
}

class CullSession {
  pages = $state.raw(new Pages('', () => undefined));
  total = $state(0);
  at = $state(0);
  unrated = $state(false);
  /** The summary at the end. */
  ending = $state(false);
  busy = $state(true);
  problem = $state('');
  verdicts = $state.raw<ReadonlyMap<string, Verdict>>(new Map());
  private source: { snapshot: string; selected: Selection } | undefined;
  private decisions: Decision[] = [];

  item = $derived<Item | undefined>(this.pages.item(this.at));
  rejects = $derived([...this.verdicts].flatMap(([uuid, verdict]) => (verdict === 'reject' ? [uuid] : [])));
  decided = $derived(this.verdicts.size);

  /** Culls the selection, or the whole list, starting at the focus. */
  enter(): void {
    if (library.scope === 'trash' || !library.view.total) return;
    const selected = library.selection.count > 1 ? library.selection : new Selection().withRange(0, library.view.total - 1);
    this.source = { snapshot: library.view.snapshot, selected };
    const uuid = library.uuidOf(library.focused);
    routing.over(CULL, uuid ?? '');
  }

  /** Shows the page; after a reload, with all images. */
  async begin(): Promise<void> {
    this.verdicts = new Map();
    this.decisions = [];
    [this.ending, this.unrated, this.problem] = [false, false, ''];
    try {
      if (!this.source) {
        await library.open('', routing.of);
        if (library.view.total) this.source = { snapshot: library.view.snapshot, selected: new Selection().withRange(0, library.view.total - 1) };
      }
      await this.show(routing.of);
    } catch (error) {
      this.problem = messageOf(error, 'Could not load these images.');
    } finally {
      this.busy = false;
    }
  }

  end(): void {
    this.pages.close();
    this.source = undefined;
    [this.busy, this.ending] = [true, false];
  }

  /** Toggles between all images and unrated ones that are no favorites. */
  async toggleUnrated(): Promise<void> {
    this.unrated = !this.unrated;
    await this.show(this.item?.uuid ?? '').catch((error: unknown) => toasts.add(messageOf(error)));
    announcer.say(`${this.unrated ? 'Unrated only' : 'All'}: ${formatCount(this.total, 'image')}`);
  }

  private async show(uuid: string): Promise<void> {
    if (!this.source) return;
    const view = await narrow(this.source.snapshot, this.source.selected, this.unrated ? UNRATED : '');
    const pages = new Pages(view.snapshot, () => undefined);
    const found = uuid ? await get('/api/v1/snapshots/{token}/position', { params: { path: { token: view.snapshot }, query: { uuid } } }) : { index: null };
    const at = Math.min(found.index ?? (this.unrated ? this.at : 0), Math.max(0, view.total - 1));
    await pages.bring([at], ROWS_WITHIN_MS);
    this.pages.close();
    [this.pages, this.total] = [pages, view.total];
    this.go(at);
  }

  go(index: number): void {
    if (!this.total) return;
    this.at = Math.max(0, Math.min(this.total - 1, index));
    zoom.fit();
    this.pages.want(Math.max(0, this.at - NEAR), Math.min(this.total, this.at + NEAR));
  }

  decide(verdict: Verdict): void {
    this.settle(verdict, undefined);
  }

  /** A rating or a heart counts as keep. */
  mark(set: Marks & ({ favorite: boolean } | { rating: number })): void {
    const { item } = this;
    if (!item) return;
    this.pages.mark(Selection.of(this.at), set);
    const edit = post('/api/v1/edits', { body: { uuids: [item.uuid], set } });
    edit.catch((error: unknown) => {
      this.pages.refresh([item.uuid]);
      toasts.add(messageOf(error));
    });
    this.settle('keep', edit);
  }

  private settle(verdict: Verdict, edit: Promise<EditResult> | undefined): void {
    const { item } = this;
    if (!item) return;
    this.decisions.push({ at: this.at, uuid: item.uuid, before: this.verdicts.get(item.uuid), edit });
    this.verdicts = new Map(this.verdicts).set(item.uuid, verdict);
    announcer.say(`${verdict === 'keep' ? 'Kept' : 'Rejected'}. ${formatNumber(this.decided)} of ${formatNumber(this.total)}`);
    if (this.at < this.total - 1) this.go(this.at + 1);
    else this.ending = true;
  }

  /** Undoes the last decision. */
  async takeBack(): Promise<void> {
    const last = this.decisions.pop();
    if (!last) {
      announcer.say('No decisions yet.');
      return;
    }
    const verdicts = new Map(this.verdicts);
    if (last.before) verdicts.set(last.uuid, last.before);
    else verdicts.delete(last.uuid);
    this.verdicts = verdicts;
    if (this.pages.item(last.at)?.uuid === last.uuid) this.go(last.at);
    const done = await last.edit?.catch(() => undefined);
    if (!done?.changed) return;
    await runWithProgress('Undoing', () => post('/api/v1/edits/{operation}/undo', { params: { path: { operation: done.operation } } })).catch((error: unknown) => {
      toasts.add(messageOf(error, 'Could not undo this.'));
    });
    this.pages.refresh([last.uuid]);
  }

  /** Keeps an image after all. */
  spare(uuid: string): void {
    this.verdicts = new Map(this.verdicts).set(uuid, 'keep');
  }

  leave(): void {
    if (this.rejects.length) this.ending = true;
    else routing.back(this.item?.uuid);
  }

  leaveAll(): void {
    routing.back(this.item?.uuid);
  }

  async commit(): Promise<void> {
    const { rejects } = this;
    const next = this.nextKept();
    try {
      for (let from = 0; from < rejects.length; from += PIECE) await this.trash(rejects.slice(from, from + PIECE));
    } catch (error) {
      toasts.add(messageOf(error));
      return;
    }
    await library.renew();
    routing.back(next);
  }

  private async trash(uuids: string[]): Promise<void> {
    const done = await runWithProgress('Moving to Trash', () => post('/api/v1/edits', { body: { uuids, set: { trash: true } } }));
    if (done.changed) toasts.add(`${formatCount(done.changed, 'image')} moved to Trash`, () => undo(done.operation, () => library.renew()));
  }

  /** Goes back to the list, at the image or the nearest that is left. */
  private nextKept(): string | undefined {
    for (let away = 0; away < this.total; away++) {
      for (const index of [this.at + away, this.at - away]) {
        const uuid = this.pages.item(index)?.uuid;
        if (uuid && this.verdicts.get(uuid) !== 'reject') return uuid;
      }
      if (away > NEAR * NEAR) return undefined;
    }
    return undefined;
  }
}

export const cullSession = new CullSession();
