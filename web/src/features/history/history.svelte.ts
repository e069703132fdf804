/** The undo log of the library, newest first, as far back as the user has scrolled. */

import { get, post } from '../../api/client';
import type { Operation } from '../../api/edits';
import { messageOf } from '../../lib/errors';
import { runWithProgress } from '../edits/undo';
import { library } from '../gallery/library.svelte';
import { needsNames, type Names } from './labels';

const PAGE = 50;
const MOST = 500;

interface Day {
  /** A local day, YYYY-MM-DD. */
  day: string;
  edits: Operation[];
}

class History {
  list = $state.raw<Operation[]>([]);
  /** Why an edit could not be undone or redone, by its number. */
  refused = $state.raw<ReadonlyMap<number, string>>(new Map());
  names = $state.raw<Names>(new Map());
  loaded = $state(false);
  /** All edits are loaded. */
  complete = $state(false);
  problem = $state('');
  moving = $state<number | undefined>();
  private loading = false;
  private asked = 0;

  days = $derived.by((): Day[] => {
    const days: Day[] = [];
    for (const edit of this.list) {
      const day = dayOf(edit.at);
      if (days.at(-1)?.day !== day) days.push({ day, edits: [] });
      days.at(-1)?.edits.push(edit);
    }
    return days;
  });

  /** Reloads what is shown. */
  async refresh(): Promise<void> {
    const asked = ++this.asked;
    const wanted = Math.min(MOST, Math.max(PAGE, this.list.length));
    const got = await this.page({ limit: wanted });
    // An answer that arrives after a newer one is outdated.
    if (!got || asked !== this.asked) return;
    const older = this.list.filter((edit) => edit.operation < (got.at(-1)?.operation ?? 0));
    this.list = got.length < wanted ? got : [...got, ...older];
    this.complete = got.length < wanted;
    this.loaded = true;
  }

  async more(): Promise<void> {
    const last = this.list.at(-1);
    if (this.loading || this.complete || !last) return;
    this.loading = true;
    const got = await this.page({ limit: PAGE, before: last.operation });
    this.loading = false;
    if (!got) return;
    this.list = [...this.list, ...got];
    this.complete = got.length < PAGE;
  }

  private async page(query: { limit: number; before?: number }): Promise<Operation[] | undefined> {
    try {
      const { operations } = await get('/api/v1/edits', { params: { query } });
      this.problem = '';
      void this.name(operations);
      return operations;
    } catch (error) {
      this.problem = messageOf(error, 'Could not load the history.');
      this.loaded = true;
      return undefined;
    }
  }

  /** Undoes or redoes an edit; if it is refused, the reason is shown with it. */
  async move(edit: Operation): Promise<void> {
    if (this.moving !== undefined) return;
    const back = edit.state === 'done';
    const params = { path: { operation: edit.operation } };
    this.moving = edit.operation;
    const refused = new Map(this.refused);
    refused.delete(edit.operation);
    try {
      await runWithProgress(back ? 'Undoing' : 'Redoing', () => (back ? post('/api/v1/edits/{operation}/undo', { params }) : post('/api/v1/edits/{operation}/redo', { params })));
      library.touched++;
      void library.renew();
    } catch (error) {
      refused.set(edit.operation, messageOf(error));
    }
    this.refused = refused;
    await this.refresh();
    this.moving = undefined;
  }

  /** Edits refer to collections and templates by uuid. */
  private async name(operations: Operation[]): Promise<void> {
    const names = new Map(this.names);
    if (needsNames(operations, 'collection')) {
      const { collections } = await get('/api/v1/collections').catch(() => ({ collections: [] }));
      for (const { uuid, name } of collections) names.set(uuid, name);
    }
    if (needsNames(operations, 'template')) {
      const { templates } = await get('/api/v1/templates').catch(() => ({ templates: [] }));
      for (const { uuid, name } of templates) names.set(uuid, name);
    }
    for (const { steps } of operations) {
      for (const [, args] of steps) if (typeof args['uuid'] === 'string' && typeof args['name'] === 'string' && !names.has(args['uuid'])) names.set(args['uuid'], args['name']);
    }
    this.names = names;
  }
}

function dayOf(unixMs: number): string {
  const at = new Date(unixMs);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

export const past = new History();
