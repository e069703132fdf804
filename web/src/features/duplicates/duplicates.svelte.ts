/** The group under review. */

import { get, post, type Detail, type EditResult } from '../../api/client';
import type { DuplicateKind, DuplicateGroup, DuplicateImage, DuplicatePage } from '../../api/duplicates';
import { messageOf } from '../../lib/errors';
import { formatCount } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { runWithProgress, undo } from '../edits/undo';

class Duplicates {
  by = $state<DuplicateKind>('picture');
  at = $state(0);
  total = $state(0);
  group = $state.raw<DuplicateGroup | undefined>();
  kept = $state<string | undefined>();
  details = $state.raw<ReadonlyMap<string, Detail>>(new Map());
  loaded = $state(false);
  problem = $state('');
  busy = $state(false);
  private asked = 0;

  get others(): DuplicateImage[] {
    return this.group?.images.filter((image) => image.uuid !== this.kept) ?? [];
  }

  /** The image that would be kept now. */
  get keptImage(): DuplicateImage | undefined {
    return this.group?.images.find((image) => image.uuid === this.kept);
  }

  /** What merging would lose now; empty while no image is selected. */
  get lost(): string[] {
    return this.keptImage?.lost ?? [];
  }

  /** Shows the group at an index, or the nearest one. */
  async show(by: DuplicateKind, at: number): Promise<void> {
    const asked = ++this.asked;
    try {
      let page = await get('/api/v1/duplicates', { params: { query: { by, start: at, count: 1 } } });
      if (at >= page.total && page.total) {
        at = page.total - 1;
        page = await get('/api/v1/duplicates', { params: { query: { by, start: at, count: 1 } } });
      }
      if (asked !== this.asked) return;
      const group = page.groups[0];
      [this.by, this.at, this.total, this.group, this.problem] = [by, at, page.total, group, ''];
      this.kept = group?.kept ?? undefined;
      this.loaded = true;
      if (group) await this.readDetails(group, asked);
    } catch (error) {
      if (asked === this.asked) [this.problem, this.loaded] = [messageOf(error), true];
    }
  }

  private async readDetails(group: DuplicateGroup, asked: number): Promise<void> {
    const read = async (image: DuplicateImage) => [image.uuid, await get('/api/v1/images/{uuid}', { params: { path: { uuid: image.uuid } } })] as const;
    const details = new Map(await Promise.all(group.images.map(read)));
    if (asked === this.asked) this.details = details;
  }

  step(by: 1 | -1): void {
    const to = this.at + by;
    if (to >= 0 && to < this.total) void this.show(this.by, to);
  }

  /** Selects the image next to the selected one; the first or the last when none is. */
  choose(by: 1 | -1): void {
    const images = this.group?.images ?? [];
    const at = images.findIndex((image) => image.uuid === this.kept);
    const to = at < 0 && by < 0 ? images.length - 1 : at + by;
    this.kept = images[to]?.uuid ?? this.kept;
  }

  /** One edit: what the others have is merged into the image to keep. Where that loses something, only `confirmed`. */
  async mergeGroup(confirmed = false): Promise<void> {
    const others = this.others.map((image) => image.uuid);
    if (!this.kept || !others.length || this.busy || this.by === 'bytes' || (this.lost.length && !confirmed)) return;
    this.busy = true;
    try {
      const request = { kept: this.kept, others, accept_loss: confirmed };
      const ask = () => runWithProgress('Merging duplicates', () => post('/api/v1/duplicates:merge', { body: request }));
      const done = await toasts.during(ask());
      const { by, at } = this;
      const gone = formatCount(done.changed, 'image');
      toasts.add(`Duplicates merged; ${gone} moved to Trash`, () => undo(done.operation, () => this.show(by, at)));
      await this.show(this.by, this.at);
    } catch (error) {
      toasts.add(messageOf(error));
    } finally {
      this.busy = false;
    }
  }
}

export const duplicates = new Duplicates();
