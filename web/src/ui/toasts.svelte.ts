/** Short messages with an undo, three at most, ten seconds each. */

const SHOWN_MS = 10_000;
const MOST = 3;

export interface Toast {
  id: number;
  text: string;
  undo: (() => void | Promise<void>) | undefined;
}

export class Toasts {
  list = $state<Toast[]>([]);
  private next = 1;
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly undoable: Toast[] = [];
  private readonly underway = new Set<Promise<unknown>>();

  add(text: string, undo?: () => void | Promise<void>): void {
    const toast: Toast = { id: this.next++, text, undo };
    this.list = [...this.list, toast].slice(-MOST);
    if (undo) this.undoable.push(toast);
    this.resume(toast.id);
  }

  close(id: number): void {
    this.pause(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  pause(id: number): void {
    clearTimeout(this.timers.get(id));
  }

  resume(id: number): void {
    this.pause(id);
    this.timers.set(id, setTimeout(() => this.close(id), SHOWN_MS));
  }

  undo(toast: Toast): void {
    const at = this.undoable.indexOf(toast);
    if (at >= 0) this.undoable.splice(at, 1);
    this.close(toast.id);
    void toast.undo?.();
  }

  /** A deed that is on its way: Ctrl+Z means it, too, and waits for it. */
  async during<T>(deed: Promise<T>): Promise<T> {
    this.underway.add(deed);
    try {
      return await deed;
    } finally {
      this.underway.delete(deed);
    }
  }

  /** Ctrl+Z: the last deed of this page that has not been undone. */
  async undoLast(): Promise<void> {
    await Promise.allSettled(this.underway);
    const last = this.undoable.at(-1);
    if (last) this.undo(last);
    else this.add('There is nothing to undo.');
  }
}

export const toasts = new Toasts();
