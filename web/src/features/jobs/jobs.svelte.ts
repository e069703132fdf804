/** Background jobs: counts as they arrive. */

import { get, post, type FailedJob, type JobKind, type JobList } from '../../api/client';

class Jobs {
  kinds = $state<JobKind[]>([]);
  failed = $state<FailedJob[]>([]);
  paused = $state<string[]>([]);

  get left(): number {
    return this.kinds.reduce((sum, kind) => sum + kind.waiting + kind.running, 0);
  }

  get share(): number {
    const all = this.kinds.reduce((sum, kind) => sum + kind.waiting + kind.running + kind.done, 0);
    return all ? 1 - this.left / all : 1;
  }

  hear(kinds: JobKind[]): void {
    this.kinds = kinds;
  }

  async load(): Promise<void> {
    const got = await get('/api/v1/jobs/summary');
    this.hear(got.kinds);
    this.failed = got.failed;
    this.paused = got.paused;
  }

  async steer(action: 'retry' | 'discard' | 'pause' | 'resume' | 'cancel', kind?: string, ids?: number[]): Promise<void> {
    await post(`/api/v1/jobs:${action}`, { body: { kind: kind ?? null, ids: ids ?? null } });
    await this.load();
  }
}

export const jobs = new Jobs();
