/** The lineage that is looked at, and the person's word about it. */

import { get, post, type Done } from '../api/client';
import { connection } from '../api/connection.svelte';
import type { Lineage } from '../api/lineage';
import { toasts } from '../ui/toasts.svelte';
import { undo } from '../ui/undoing';
import { Graph } from './graph';

const NOTHING: Lineage = { nodes: [], edges: [], unknown: [], parent_by: null, truncated: false };

class LineageView {
  /** The image that all is around. */
  center = $state('');
  /** The image that the arrow keys have come to. */
  current = $state('');
  shown = $state.raw<Lineage>(NOTHING);
  problem = $state('');
  loaded = $state(false);
  graph = $derived(new Graph(this.shown));

  async open(uuid: string): Promise<void> {
    this.center = this.current = uuid;
    this.shown = NOTHING;
    this.loaded = false;
    await this.load();
  }

  async load(): Promise<void> {
    const asked = this.center;
    try {
      const got = await get<Lineage>(`/api/generations/${asked}/lineage`);
      if (asked !== this.center) return;
      [this.shown, this.problem] = [got, ''];
      if (!got.nodes.some((node) => node.uuid === this.current)) this.current = asked;
    } catch (error) {
      if (asked === this.center) this.problem = error instanceof Error ? error.message : 'That did not work.';
    }
    this.loaded = true;
  }

  /** `parent` null: it came from no other. `relation` null leaves what is known. */
  correct(child: string, parent: string | null, relation: string | null, says: string): Promise<void> {
    return toasts.during(this.corrected(child, parent, relation, says));
  }

  private async corrected(child: string, parent: string | null, relation: string | null, says: string): Promise<void> {
    if (!connection.up) {
      toasts.add('MystiCanvas does not answer: nothing was changed. Try again when it is back.');
      return;
    }
    try {
      const done = await post<Done>(`/api/generations/${child}/parent`, { parent, relation });
      toasts.add(says, () => undo(done.operation, () => this.load()));
      await this.load();
    } catch (error) {
      toasts.add(error instanceof Error ? error.message : 'That did not work.');
    }
  }
}

export const lineage = new LineageView();
