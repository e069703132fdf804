/** Short messages with Undo: at most three, ten seconds each. */

const SHOWN_MS = 10_000;
const MOST = 3;

export interface Toast {
  id: number;
  text: string;
  undo: (() => void | Promise<void>) | undefined;
}

/** A running operation; `share` of it is done, 0 to 1, undefined if unknown. */
export interface Work {
  id: number;
  text: string;
  share: number | undefined;
}

export class Toasts {
  list = $state<Toast[]>([]);
  works = $state<Work[]>([]);
  /** Grows with every edit, undo and redo. */
  version = $state(0);
  /** Undone edits that can be redone, the last one last. */
  private redoable: (() => void | Promise<void>)[] = [];
  private next = 1;
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly undoable: Toast[] = [];
  private readonly underway = new Set<Promise<unknown>>();
  private turn: Promise<void> = Promise.resolve();

  /** A toast with Undo is a new edit: what was undone before it can no longer be redone. */
  add(text: string, undo?: () => void | Promise<void>): void {
    if (undo) this.redoable = [];
    this.show(text, undo);
  }

  /** For an edit that was redone. */
  again(text: string, undo: () => void | Promise<void>): void {
    this.show(text, undo);
  }

  /** Shown until the result is called without arguments; call it with a share to show progress. */
  work(text: string): (share?: number) => void {
    const id = this.next++;
    this.works = [...this.works, { id, text, share: undefined }];
    return (share) => {
      if (share === undefined) this.works = this.works.filter((work) => work.id !== id);
      else this.works = this.works.map((work) => (work.id === id ? { ...work, share } : work));
    };
  }

  private show(text: string, undo?: () => void | Promise<void>): void {
    const toast: Toast = { id: this.next++, text, undo };
    this.list = [...this.list, toast].slice(-MOST);
    if (undo) this.undoable.push(toast);
    if (undo) this.version++;
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
    void this.during(Promise.resolve(toast.undo?.()));
  }

  /** An edit in progress: Ctrl+Z waits for it and undoes it. */
  async during<T>(edit: Promise<T>): Promise<T> {
    this.underway.add(edit);
    try {
      return await edit;
    } finally {
      this.underway.delete(edit);
    }
  }

  /** Repeated Ctrl+Z undoes one edit after the other. */
  private inTurn(edit: () => void | Promise<void>): Promise<void> {
    this.turn = this.turn.then(async () => {
      await Promise.allSettled(this.underway);
      await edit();
    });
    return this.turn;
  }

  /** Ctrl+Z: undoes the last edit of this page that is not undone. */
  undoLast(): Promise<void> {
    return this.inTurn(() => {
      const last = this.undoable.at(-1);
      if (last) this.undo(last);
      else this.add('Nothing to undo on this page. See History for earlier edits.');
    });
  }

  /** Reports an undo; `redo` runs the edit again. */
  undone(redo: () => void | Promise<void>): void {
    this.redoable.push(redo);
    this.version++;
  }

  /** Ctrl+Shift+Z: redoes the edit that was undone last, unless another edit followed. */
  redoLast(): Promise<void> {
    return this.inTurn(async () => {
      const last = this.redoable.pop();
      if (last) await this.during(Promise.resolve(last()));
      else this.add('Nothing to redo.');
    });
  }
}

export const toasts = new Toasts();
