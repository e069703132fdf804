/** The safe view: pictures that score as explicit are blurred, and never hidden. */

import { get } from '../api/client';
import type { LookingState, Sight } from '../api/looking';
import { toasts } from '../ui/toasts.svelte';

export class Safe {
  on = $state(localStorage.getItem('safe') === 'yes');
  private sight = $state.raw<Sight | undefined>();

  /** Whether a picture of this score is blurred; one that no model has looked at never is. */
  blurs(explicit: number | null | undefined): boolean {
    return this.on && explicit != null && explicit >= (this.sight?.least_explicit ?? 0.7);
  }

  take(sight: Sight): void {
    this.sight = sight;
  }

  async load(): Promise<void> {
    this.take((await get<LookingState>('/api/looking')).sight);
  }

  async toggle(): Promise<void> {
    this.on = !this.on;
    localStorage.setItem('safe', this.on ? 'yes' : 'no');
    await this.load().catch(() => undefined);
    toasts.add(this.on ? this.said() : 'The safe view is off.');
  }

  private said(): string {
    return this.sight?.is_on ? 'Safe view: explicit pictures are blurred.' : 'Safe view is on, but no model looks at your pictures yet: Settings.';
  }
}

export const safe = new Safe();
