/** The group under review. */

import { get, post, type Detail, type EditResult } from '../../api/client';
import type { DuplicateKind, DuplicateGroup, DuplicateImage, DuplicatePage } from '../../api/duplicates';
import { messageOf } from '../../lib/errors';
import { formatNumber } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { undo } from '../edits/undo';
import { best } from './differences';

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

  /** Shows the group at an index, or the nearest one. */
  async show(by: DuplicateKind, at: number): Promise<void> {
    const asked = ++this.asked;
    try {
      let page = await get<DuplicatePage>(`/api/duplicates?by=${by}&start=${at}&count=1`);
      if (at >= page.total && page.total) {
        at = page.total - 1;
        page = await get<DuplicatePage>(`/api/duplicates?by=${by}&start=${at}&count=1`);
      }
      if (asked !== this.asked) return;
      const group = page.groups[0];
      [this.by, this.at, this.total, this.group, this.problem] = [by, at, page.total, group, ''];
      this.kept = best(group?.images ?? []);
      this.loaded = true;
      if (group) await this.readDetails(group, asked);
    } catch (error) {
      if (asked === this.asked) [this.problem, this.loaded] = [messageOf(error), true];
    }
  }

  private async readDetails(group: DuplicateGroup, asked: number): Promise<void> {
    const read = async (image: DuplicateImage) => [image.uuid, await get<Detail>(`/api/generations/${image.uuid}`)] as const;
    const details = new Map(await Promise.all(group.images.map(read)));
    if (asked === this.asked) this.details = details;
  }

  step(by: 1 | -1): void {
    const to = this.at + by;
    if (to >= 0 && to < this.total) void this.show(this.by, to);
  }

  /** Selects the image next to the selected one. */
  choose(by: 1 | -1): void {
    const images = this.group?.images ?? [];
    const to = images.findIndex((image) => image.uuid === this.kept) + by;
    this.kept = images[to]?.uuid ?? this.kept;
  }

  /** One edit: ratings, tags and notes of the others are merged into the image to keep. */
  async mergeGroup(): Promise<void> {
    const others = this.others.map((image) => image.uuid);
    if (!this.kept || !others.length || this.busy || this.by === 'bytes') return;
    this.busy = true;
    try {
      const done = await toasts.during(post<EditResult>('/api/duplicates/keep', { kept: this.kept, others }));
      const { by, at } = this;
      const gone = done.changed === 1 ? '1 image' : `${formatNumber(done.changed)} images`;
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
