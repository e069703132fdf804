/** A virtual list of the vocabulary: only rows in view are fetched and drawn. */

import { get, type Schemas } from '../../api/client';
import type { Tag } from '../../api/tags';
import { messageOf } from '../../lib/errors';

export const ROW_PX = 40;
/** Rows fetched at a time. */
export const PART = 100;
/** Rows drawn above and below the view. */
const OVERSCAN = 8;
const PARTS_KEPT = 60;

export type TagSort = Schemas['TagOrder'];

export interface Wanted {
  q: string;
  /** "" stands for tags without a category, undefined for all. */
  category: string | undefined;
  sort: TagSort;
}

export class TagListing {
  total = $state(0);
  loaded = $state(false);
  problem = $state('');
  scrollTop = $state(0);
  height = $state(0);
  private parts = $state.raw<ReadonlyMap<number, readonly Tag[]>>(new Map());
  private readonly loading = new Set<number>();
  private wanted: Wanted = { q: '', category: undefined, sort: 'name' };
  private turn = 0;

  first = $derived(Math.max(0, Math.floor(this.scrollTop / ROW_PX) - OVERSCAN));
  end = $derived(Math.min(this.total, Math.ceil((this.scrollTop + this.height) / ROW_PX) + OVERSCAN));

  at(index: number): Tag | undefined {
    return this.parts.get(Math.floor(index / PART))?.[index % PART];
  }

  /** Opens another list; the current one stays until the first rows arrive. */
  async open(wanted: Wanted): Promise<void> {
    this.wanted = wanted;
    const turn = ++this.turn;
    this.loading.clear();
    const start = Math.floor(this.first / PART);
    await this.load(start, turn, true);
    if (turn === this.turn && this.total <= start * PART && start > 0) await this.load(0, turn, true);
  }

  /** Fetches the rows in view if they are missing. */
  want(): void {
    if (!this.loaded) return;
    for (let part = Math.floor(this.first / PART); part * PART < this.end; part++) {
      if (!this.parts.has(part) && !this.loading.has(part)) void this.load(part, this.turn, false);
    }
  }

  private async load(part: number, turn: number, anew: boolean): Promise<void> {
    this.loading.add(part);
    const { category, ...wanted } = this.wanted;
    const query = { ...wanted, category: category ?? null, start: part * PART, count: PART };
    try {
      const got = await get('/api/v1/tags/slice', { params: { query } });
      if (turn !== this.turn) return;
      const kept = anew ? [] : [...this.parts].slice(-PARTS_KEPT);
      this.parts = new Map([...kept, [part, got.tags]]);
      [this.total, this.loaded, this.problem] = [got.total, true, ''];
    } catch (error) {
      if (turn === this.turn) this.problem = messageOf(error, 'Could not load the tags.');
    } finally {
      if (turn === this.turn) this.loading.delete(part);
    }
  }
}
