/** Work in the background: counts as they come, and how quickly they change. */

import { get, post, type FailedJob, type JobKind, type JobList } from '../api/client';

class Jobs {
  kinds = $state<JobKind[]>([]);
  failed = $state<FailedJob[]>([]);
  paused = $state<string[]>([]);
  rate = $state<Record<string, number>>({});
  private seen: { at: number; done: Record<string, number> } | undefined;

  get left(): number {
    return this.kinds.reduce((sum, kind) => sum + kind.waiting + kind.running, 0);
  }

  get share(): number {
    const all = this.kinds.reduce((sum, kind) => sum + kind.waiting + kind.running + kind.done, 0);
    return all ? 1 - this.left / all : 1;
  }

  hear(kinds: JobKind[]): void {
    const now = performance.now();
    const done = Object.fromEntries(kinds.map((kind) => [kind.kind, kind.done]));
    if (this.seen && now - this.seen.at > 900) {
      const seconds = (now - this.seen.at) / 1000;
      for (const [kind, count] of Object.entries(done)) {
        const fresh = Math.max(0, count - (this.seen.done[kind] ?? count)) / seconds;
        this.rate[kind] = this.rate[kind] ? this.rate[kind] * 0.6 + fresh * 0.4 : fresh;
      }
      this.seen = { at: now, done };
    }
    this.seen ??= { at: now, done };
    this.kinds = kinds;
  }

  async load(): Promise<void> {
    const got = await get<JobList>('/api/jobs');
    this.hear(got.kinds);
    this.failed = got.failed;
    this.paused = got.paused;
  }

  async steer(deed: 'retry' | 'discard' | 'pause' | 'resume' | 'cancel', kind?: string, ids?: number[]): Promise<void> {
    await post(`/api/jobs/${deed}`, { kind: kind ?? null, ids: ids ?? null });
    await this.load();
  }
}

export const jobs = new Jobs();
