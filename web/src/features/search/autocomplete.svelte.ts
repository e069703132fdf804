/** What may be meant while one types, from the server. */

import { get, type Completion, type Offer } from '../../api/client';
import { characterAt, unitAt } from '../../lib/characters';

interface Answer extends Completion {
  typed: string;
}

export class Autocomplete {
  private answer = $state.raw<Answer | undefined>();
  private control: AbortController | undefined;

  /** For what is typed, with the cursor before the unit `at`; `query` begins with it. */
  async ask(typed: string, at: number, query: string): Promise<void> {
    this.control?.abort();
    const control = (this.control = new AbortController());
    const path = `/api/complete?${new URLSearchParams({ q: query, at: String(characterAt(typed, at)) })}`;
    const got = await get<Completion>(path, control.signal).catch(() => undefined);
    if (!control.signal.aborted) this.answer = got && { ...got, typed };
  }

  drop(): void {
    this.control?.abort();
    this.answer = undefined;
  }

  /** Offers stay while the next ones are on their way, so that the list does not flicker. */
  get offers(): readonly Offer[] {
    return this.answer?.offers ?? [];
  }

  isFor(typed: string): boolean {
    return this.answer?.typed === typed;
  }

  /** The offer that Enter takes when none is chosen: what is typed finds nothing as it is. */
  takesFirst(typed: string): boolean {
    return this.isFor(typed) && this.answer?.stands === false;
  }

  /** What is typed with an offer in its place, and where the cursor is then; as typed once that is old. */
  insert(typed: string, offer: Offer): { text: string; at: number } {
    if (!this.answer || !this.isFor(typed)) return { text: typed, at: typed.length };
    const before = typed.slice(0, unitAt(typed, this.answer.start));
    const after = typed.slice(unitAt(typed, this.answer.end));
    return { text: before + offer.text + after, at: before.length + offer.text.length };
  }
}
