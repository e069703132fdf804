/** The hooks of this library, and turning them off and on. */

import { get, patch } from '../../api/client';
import type { Hook, HookList } from '../../api/hooks';
import { messageOf } from '../../lib/errors';

class Hooks {
  list = $state.raw<HookList | undefined>();
  problem = $state('');

  async load(): Promise<void> {
    try {
      this.list = await get('/api/v1/hooks');
      this.problem = this.list.problem ?? '';
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  async turn(hook: Hook, enabled: boolean): Promise<void> {
    try {
      await patch('/api/v1/hooks/{hook}', { params: { path: { hook: hook.id } }, body: { enabled } });
      await this.load();
    } catch (error) {
      // Shows the state that the server has.
      await this.load();
      this.problem = messageOf(error);
    }
  }
}

export const hooks = new Hooks();

/** What a hook calls. */
export function targetOf(hook: Hook): string {
  return hook.url ?? (hook.command ?? []).join(' ');
}
