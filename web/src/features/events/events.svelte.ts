/** The event log, newest first, as far back as the user has scrolled. */

import { get } from '../../api/client';
import type { LogEvent, LogPage } from '../../api/events';
import { messageOf } from '../../lib/errors';
import { GROUPS } from './labels';

const PAGE = 100;
const DAY_MS = 86_400_000;

class Events {
  list = $state.raw<LogEvent[]>([]);
  loaded = $state(false);
  problem = $state('');
  /** The filters: a group's label, the minimum level, the number of days; "" and 0 mean all. */
  group = $state('');
  level = $state('');
  days = $state(0);
  private before = $state<number | null>(null);
  private asking = 0;

  get complete(): boolean {
    return this.before === null;
  }

  get query(): string {
    const params = new URLSearchParams();
    for (const kind of GROUPS.find(({ label }) => label === this.group)?.kinds ?? []) params.append('kind', kind);
    if (this.level) for (const level of this.level === 'error' ? ['error'] : ['warning', 'error']) params.append('level', level);
    if (this.days) params.set('since', String(Date.now() - this.days * DAY_MS));
    return params.toString();
  }

  /** From the newest on, as far as was loaded before. */
  async load(): Promise<void> {
    const asking = ++this.asking;
    const page = await this.page(Math.min(1_000, Math.max(PAGE, this.list.length)));
    if (asking !== this.asking || !page) return;
    [this.list, this.before] = [page.events, page.next];
  }

  async more(): Promise<void> {
    if (this.before === null) return;
    const asking = ++this.asking;
    const page = await this.page(PAGE, this.before);
    if (asking !== this.asking || !page) return;
    [this.list, this.before] = [[...this.list, ...page.events], page.next];
  }

  private async page(limit: number, before?: number): Promise<LogPage | undefined> {
    try {
      const page = await get<LogPage>(`/api/v1/events?${this.query}&limit=${limit}${before === undefined ? '' : `&before=${before}`}`);
      this.problem = '';
      return page;
    } catch (error) {
      this.problem = messageOf(error, 'Could not load the events.');
      return undefined;
    } finally {
      this.loaded = true;
    }
  }
}

export const events = new Events();
