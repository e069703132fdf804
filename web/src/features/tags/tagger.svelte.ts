/** Tags of selected images while the user edits them: shared tags, completions and the last result. */

import { get, post, type EditResult, type Schemas } from '../../api/client';
import { invalidation } from '../../api/invalidation.svelte';
import type { OfferedTag, SharedTag, SharedTags } from '../../api/tags';
import { messageOf } from '../../lib/errors';
import { formatCount } from '../../lib/format';
import type { Selection } from '../../lib/selection';
import { bulk, runEdit, type Picked, refreshList } from '../edits/edits';
import { sameName } from './names';

export class Tagger {
  shared = $state.raw<SharedTags | undefined>();
  problem = $state('');
  /** The result of the last edit, as a sentence. */
  outcome = $state('');

  constructor(
    private readonly selected: Selection,
    private readonly picked: Picked,
  ) {}

  async load(signal?: AbortSignal): Promise<void> {
    try {
      const got = await post('/api/v1/tags:count', { body: this.picked });
      if (!signal?.aborted) [this.shared, this.problem] = [got, ''];
    } catch (error) {
      this.problem = messageOf(error, 'Could not load the tags.');
    }
  }

  get onAll(): readonly SharedTag[] {
    return this.shared?.tags.filter((tag) => tag.images >= (this.shared?.images ?? 0)) ?? [];
  }

  get onSome(): readonly SharedTag[] {
    return this.shared?.tags.filter((tag) => tag.images < (this.shared?.images ?? 0)) ?? [];
  }

  /** `offered`: the completion with that name, if there was one. */
  async add(name: string, offered: OfferedTag | undefined): Promise<void> {
    const known = offered ?? (await this.findTag(name));
    const shown = known?.alias_of ?? known?.name ?? name;
    const done = await this.mark({ add: [name] }, (count) => `“${shown}” added to ${formatCount(count, 'image')}`);
    if (!done) return;
    const alias = known?.alias_of ? `“${known.name}” is an alias of “${known.alias_of}”. ` : '';
    const also = known?.implies.length ? ` It implies ${known.implies.join(', ')}.` : '';
    const result = done.changed ? `“${shown}” added to ${formatCount(done.changed, 'image')}.` : `All of these images already have “${shown}”.`;
    this.outcome = alias + result + also;
  }

  async remove(name: string): Promise<void> {
    const done = await this.mark({ remove: [name] }, (count) => `“${name}” removed from ${formatCount(count, 'image')}`);
    if (done) this.outcome = done.changed ? `“${name}” removed from ${formatCount(done.changed, 'image')}.` : `None of these images has “${name}”.`;
  }

  private async mark(tags: Schemas['ImageTagsRequest'], describe: (count: number) => string): Promise<EditResult | undefined> {
    this.problem = '';
    const then = async (): Promise<void> => {
      invalidation.mark('tags');
      await Promise.all([this.load(), refreshList(this.selected)]);
    };
    const refused = (sentence: string): void => void (this.problem = sentence);
    const done = await runEdit({
      text: 'Tagging',
      ask: () => bulk(this.picked, { tags }),
      describe: ({ changed }) => (changed ? describe(changed) : ''),
      then,
      refused,
    });
    if (!done) this.outcome = '';
    return done;
  }

  /** A typed name may be an existing tag or an alias. */
  private async findTag(name: string): Promise<OfferedTag | undefined> {
    const found = await get('/api/v1/tags/completions', { params: { query: { q: name, limit: 5 } } }).catch(() => ({ tags: [] }));
    return found.tags.find((tag) => sameName(tag.name, name));
  }
}
