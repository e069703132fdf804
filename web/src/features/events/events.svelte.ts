/** The event log, newest first, as far back as the user has scrolled. */

import { get, type Query } from '../../api/client';
import type { LogEvent, LogPage } from '../../api/events';
import { messageOf } from '../../lib/errors';
import { GROUPS } from './labels';

const PAGE = 100;
const DAY_MS = 86_400_000;

type Filters = Query<'/api/v1/events/export', 'get'>;

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

  private get filters(): Filters {
    const kind = [...(GROUPS.find(({ label }) => label === this.group)?.kinds ?? [])];
    const level: Filters['level'] = this.level === 'error' ? ['error'] : this.level ? ['warning', 'error'] : [];
    return { kind, level, since: this.days ? Date.now() - this.days * DAY_MS : null };
  }

  /** The filters, as an address has them. */
  get query(): string {
    const { kind, level, since } = this.filters;
    const pairs = [...(kind ?? []).map((one) => ['kind', one]), ...(level ?? []).map((one) => ['level', one]), ...(since ? [['since', String(since)]] : [])];
    return new URLSearchParams(pairs).toString();
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
      const page = await get('/api/v1/events', { params: { query: { ...this.filters, limit, before: before ?? null } } });
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
