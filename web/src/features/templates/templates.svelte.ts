/** Templates and wildcards: list and edits, each with undo. */

import { del, get, patch, post, put, type EditResult, type Schemas } from '../../api/client';
import { connection } from '../../api/connection.svelte';
import type { Template, TemplateList, Wildcard } from '../../api/templates';
import { messageOf } from '../../lib/errors';
import { formatCount } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { runWithProgress, undo } from '../edits/undo';

type Given = Schemas['TemplateEditRequest'];

class Templates {
  list = $state.raw<Template[]>([]);
  wildcards = $state.raw<Wildcard[]>([]);
  loaded = $state(false);
  problem = $state('');

  categories = $derived([...new Set(this.list.map((one) => one.category).filter((name) => name !== null))].sort());

  async load(): Promise<void> {
    try {
      const got = await get('/api/v1/templates');
      [this.list, this.wildcards, this.problem] = [got.templates, got.wildcards, ''];
    } catch (error) {
      this.problem = messageOf(error, 'Could not load the templates.');
    }
    this.loaded = true;
  }

  /** The uuid of the new one; undefined if it was refused, which a toast reports. */
  async create(given: Schemas['TemplateCreationRequest']): Promise<string | undefined> {
    const done = await this.edit(() => post('/api/v1/templates', { body: given }), `Template “${given.name}” saved.`);
    return done?.uuid;
  }

  async change(uuid: string, given: Given): Promise<boolean> {
    return (await this.edit(() => patch('/api/v1/templates/{uuid}', { params: { path: { uuid } }, body: given }), 'Template saved.')) !== undefined;
  }

  async remove(template: Template): Promise<boolean> {
    return (await this.edit(() => del('/api/v1/templates/{uuid}', { params: { path: { uuid: template.uuid } } }), `Template “${template.name}” deleted.`)) !== undefined;
  }

  async importStyles(text: string): Promise<void> {
    await this.edit(() => post('/api/v1/templates/styles', { body: { text } }), (done) => `${formatCount(done.changed, 'style')} imported.`);
  }

  /** Null as content deletes it. */
  async setWildcard(name: string, content: string | null): Promise<boolean> {
    const message = content === null ? `Wildcard “${name}” deleted.` : `Wildcard “${name}” saved.`;
    return (await this.edit(() => put('/api/v1/wildcards', { body: { name, content } }), message)) !== undefined;
  }

  private edit<T extends EditResult>(ask: () => Promise<T>, message: string | ((done: EditResult) => string)): Promise<T | undefined> {
    return toasts.during(this.runTemplateEdit(ask, message));
  }

  private async runTemplateEdit<T extends EditResult>(ask: () => Promise<T>, message: string | ((done: EditResult) => string)): Promise<T | undefined> {
    if (!connection.up) {
      toasts.add('MystiCanvas is not responding. Nothing was changed. Try again when the connection is restored.');
      return undefined;
    }
    try {
      let first: T | undefined;
      const done = await runWithProgress('Updating templates', async () => (first = await ask()));
      toasts.add(typeof message === 'string' ? message : message(done), () => undo(done.operation, () => this.load()));
      await this.load();
      return first;
    } catch (error) {
      toasts.add(messageOf(error));
      return undefined;
    }
  }
}

export const templates = new Templates();
