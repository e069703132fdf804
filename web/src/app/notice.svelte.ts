/** A warning of the event log that every page shows until it is dismissed in this browser. */

import { library } from '../features/gallery/library.svelte';

const DISMISSED = 'notice';

export class Notice {
  /** The ID of the last dismissed event. */
  private dismissed = $state(Number(localStorage.getItem(DISMISSED) ?? 0));

  get sentence(): string | null {
    const newest = library.status?.notice;
    return newest && newest.id > this.dismissed ? newest.message : null;
  }

  dismiss(): void {
    this.dismissed = library.status?.notice?.id ?? 0;
    localStorage.setItem(DISMISSED, String(this.dismissed));
  }
}

export const notice = new Notice();
