/** The open lineage and the user's corrections. */

import { type EditResult, get, put } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import type { Lineage } from '../../api/lineage';
import { messageOf } from '../../lib/errors';
import { toasts } from '../../ui/toasts.svelte';
import { undo } from '../edits/undo';
import { Graph } from './graph';

const NOTHING: Lineage = { nodes: [], edges: [], unknown: [], parent_by: null, truncated: false };

class LineageView {
  /** The image at the center. */
  center = $state('');
  /** The image selected with the arrow keys. */
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
      const got = await get('/api/v1/images/{uuid}/lineage', { params: { path: { uuid: asked } } });
      if (asked !== this.center) return;
      [this.shown, this.problem] = [got, ''];
      if (!got.nodes.some((node) => node.uuid === this.current)) this.current = asked;
    } catch (error) {
      if (asked === this.center) this.problem = messageOf(error);
    }
    this.loaded = true;
  }

  /** `parent` null: no source. `relation` null keeps the current relation. */
  correct(child: string, parent: string | null, relation: string | null, message: string): Promise<void> {
    return toasts.during(this.saveParent(child, parent, relation, message));
  }

  private async saveParent(child: string, parent: string | null, relation: string | null, message: string): Promise<void> {
    if (!connection.up) {
      toasts.add('MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.');
      return;
    }
    try {
      const done = await put('/api/v1/images/{uuid}/parent', { params: { path: { uuid: child } }, body: { parent, relation } });
      toasts.add(message, () => undo(done.operation, () => this.load()));
      await this.load();
    } catch (error) {
      toasts.add(messageOf(error));
    }
  }
}

export const lineage = new LineageView();
