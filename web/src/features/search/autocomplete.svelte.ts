/** Autocomplete of the search box. */

import { get, type Completion, type Offer } from '../../api/client';
import { characterAt, unitAt } from '../../lib/characters';

interface Answer extends Completion {
  typed: string;
}

export class Autocomplete {
  private answer = $state.raw<Answer | undefined>();
  private control: AbortController | undefined;

  /** Completions for the typed text with the cursor before the unit `at`; `query` begins with it. */
  async ask(typed: string, at: number, query: string): Promise<void> {
    this.control?.abort();
    const control = (this.control = new AbortController());
    const params = { query: { q: query, at: characterAt(typed, at) } };
    const got = await get('/api/v1/completions', { params, signal: control.signal }).catch(() => undefined);
    if (!control.signal.aborted) this.answer = got && { ...got, typed };
  }

  drop(): void {
    this.control?.abort();
    this.answer = undefined;
  }

  /** Old completions stay until the next ones arrive, so that the list does not flicker. */
  get offers(): readonly Offer[] {
    return this.answer?.offers ?? [];
  }

  isFor(typed: string): boolean {
    return this.answer?.typed === typed;
  }

  /** The completion that Enter takes when none is selected: the typed text finds nothing as it is. */
  takesFirst(typed: string): boolean {
    return this.isFor(typed) && this.answer?.stands === false;
  }

  /** The typed text with a completion inserted, and the new cursor; unchanged if the completion is outdated. */
  insert(typed: string, offer: Offer): { text: string; at: number } {
    if (!this.answer || !this.isFor(typed)) return { text: typed, at: typed.length };
    const before = typed.slice(0, unitAt(typed, this.answer.start));
    const after = typed.slice(unitAt(typed, this.answer.end));
    return { text: before + offer.text + after, at: before.length + offer.text.length };
  }
}
