/** Two to four images side by side. */

import { get, post, type Detail, type EditResult } from '../../api/client';
import { uuidsOf } from '../../api/selection';
import { messageOf } from '../../lib/errors';
import { Selection } from '../../lib/selection';
import { announcer } from '../../ui/announcer.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { undo } from '../edits/undo';
import type { Marks } from '../gallery/actions';
import { library } from '../gallery/library.svelte';
import { routing } from '../gallery/routing.svelte';
import { Zoom } from '../viewer/zoom.svelte';

export const COMPARE = '/compare';
export const MOST = 4;

class Comparison {
  details = $state.raw<Detail[]>([]);
  active = $state(0);
  /** Whether settings without differences are shown too. */
  everything = $state(false);
  problem = $state('');
  /** Zoom and pan are shared by all panes. */
  readonly zoom = new Zoom();

  /** Compares the selection; if fewer than two are selected, the focused image with that one or the next. */
  async enter(): Promise<void> {
    const { selection, focused, view } = library;
    if (selection.count > MOST) {
      toasts.add('You can compare two to four images. Select fewer.');
      return;
    }
    let selected = selection.count ? selection : Selection.of(focused);
    if (selected.count === 1) selected = selected.has(focused) ? selected.withRange(focused, focused < view.total - 1 ? focused + 1 : focused - 1) : selected.withRange(focused, focused);
    if (view.total < 2) {
      toasts.add('You need at least two images to compare.');
      return;
    }
    try {
      const uuids = await uuidsOf(view.snapshot, selected, MOST);
      routing.over(COMPARE, uuids.join(','));
    } catch (error) {
      toasts.add(messageOf(error));
    }
  }

  /** Shows the images in the address. */
  async show(of: string): Promise<void> {
    const uuids = [...new Set(of.split(',').filter(Boolean))].slice(0, MOST);
    this.zoom.fit();
    this.active = 0;
    try {
      this.details = await Promise.all(uuids.map((uuid) => get('/api/v1/images/{uuid}', { params: { path: { uuid } } })));
      this.problem = uuids.length < 2 ? 'You need at least two images to compare.' : '';
    } catch (error) {
      this.details = [];
      this.problem = messageOf(error, 'Could not load these images.');
    }
  }

  go(pane: number): void {
    this.active = (pane + this.details.length) % Math.max(1, this.details.length);
  }

  /** Swaps an image with the next one; the last one with the first. */
  swap(): void {
    const other = (this.active + 1) % this.details.length;
    const [one, two] = [this.details[this.active], this.details[other]];
    if (!one || !two) return;
    this.details = this.details.map((detail, at) => (at === this.active ? two : at === other ? one : detail));
    this.active = other;
    this.say();
  }

  /** Removes an image; with two images, leaves the comparison. */
  drop(pane: number): void {
    if (this.details.length <= 2) {
      routing.back();
      return;
    }
    this.details = this.details.filter((_, at) => at !== pane);
    this.active = Math.min(this.active, this.details.length - 1);
    this.say();
  }

  /** Updates the address. */
  private say(): void {
    routing.of = this.details.map(({ uuid }) => uuid).join(',');
    history.replaceState(history.state, '', `${COMPARE}?${new URLSearchParams({ of: routing.of })}`);
  }

  async mark(pane: number, set: Marks & ({ favorite: boolean } | { rating: number }), message: string): Promise<void> {
    const { uuid } = this.details[pane] ?? {};
    if (!uuid) return;
    await toasts.during(
      (async () => {
        const done = await post('/api/v1/edits', { body: { uuids: [uuid], set } });
        if (done.changed) toasts.add(message, () => undo(done.operation, () => this.again(uuid)));
        await this.again(uuid);
        announcer.say(message);
      })().catch((error: unknown) => toasts.add(messageOf(error))),
    );
  }

  async open(pane: number): Promise<void> {
    const detail = this.details[pane];
    if (detail) await routing.view(detail.uuid, detail.deleted ? 'trash' : 'library');
  }

  private async again(uuid: string): Promise<void> {
    const fresh = await get('/api/v1/images/{uuid}', { params: { path: { uuid } } });
    this.details = this.details.map((detail) => (detail.uuid === uuid ? fresh : detail));
  }
}

export const comparison = new Comparison();
