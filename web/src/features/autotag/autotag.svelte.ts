/** Auto-tagging: the saved settings and the test result. */

import type { AutotagRun, AutotagState, LookAt, Tried } from '../../api/autotag';
import { get, post, put, type Schemas } from '../../api/client';
import { messageOf } from '../../lib/errors';

/** The form's values. `key` null: keep the saved key. */
export type Form = Required<Schemas['AutotagSettingsRequest']>;

class Autotag {
  state = $state.raw<AutotagState | undefined>();
  problem = $state('');
  /** Counts loads and saves. */
  version = $state(0);

  async load(): Promise<void> {
    try {
      this.take(await get('/api/v1/autotag/settings'));
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  async save(form: Form): Promise<void> {
    this.take(await put('/api/v1/autotag/settings', { body: form }));
  }

  async off(): Promise<void> {
    this.take(await post('/api/v1/autotag:disable'));
  }

  /** Saves nothing; tests with an image if a uuid is given. */
  tryOut({ base_url, model, allow_remote, look_at, key }: Form, prompt: string, uuid: string | undefined): Promise<Tried> {
    return post('/api/v1/autotag:try', { body: { base_url, model, allow_remote, look_at, key, prompt: prompt || null, uuid: uuid ?? null } });
  }

  run(query: string, again: boolean, dryRun: boolean): Promise<AutotagRun> {
    return post('/api/v1/autotag/runs', { body: { query, again, dry_run: dryRun } });
  }

  forget(run: string): Promise<{ changed: number }> {
    return post('/api/v1/autotag/runs:forget', { body: { run } });
  }

  private take(state: AutotagState): void {
    [this.state, this.problem] = [state, ''];
    this.version++;
  }
}

export const autotag = new Autotag();
