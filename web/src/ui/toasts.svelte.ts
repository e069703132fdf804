/** Short messages with an undo, three at most, ten seconds each. */

const SHOWN_MS = 10_000;
const MOST = 3;

export interface Toast {
  id: number;
  text: string;
  undo: (() => void | Promise<void>) | undefined;
}

/** Work that goes on; `share` of it is done, 0 to 1, undefined while that is not known. */
export interface Work {
  id: number;
  text: string;
  share: number | undefined;
}

export class Toasts {
  list = $state<Toast[]>([]);
  works = $state<Work[]>([]);
  /** Grows with each edit that is done, undone or done again. */
  version = $state(0);
  /** What was undone and can be done again, the last one last. */
  private redoable: (() => void | Promise<void>)[] = [];
  private next = 1;
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();
  private readonly undoable: Toast[] = [];
  private readonly underway = new Set<Promise<unknown>>();
  private turn: Promise<void> = Promise.resolve();

  /** With an undo it is a new edit: what was undone before it cannot be done again. */
  add(text: string, undo?: () => void | Promise<void>): void {
    if (undo) this.redoable = [];
    this.show(text, undo);
  }

  /** Of an edit that was done once more. */
  again(text: string, undo: () => void | Promise<void>): void {
    this.show(text, undo);
  }

  /** Shown until the result is called with nothing; called with a share, that is shown. */
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

  /** An edit that is on its way: Ctrl+Z means it, too, and waits for it. */
  async during<T>(edit: Promise<T>): Promise<T> {
    this.underway.add(edit);
    try {
      return await edit;
    } finally {
      this.underway.delete(edit);
    }
  }

  /** Keys that are pressed one after the other take back one edit after the other. */
  private inTurn(edit: () => void | Promise<void>): Promise<void> {
    this.turn = this.turn.then(async () => {
      await Promise.allSettled(this.underway);
      await edit();
    });
    return this.turn;
  }

  /** Ctrl+Z: the last edit of this page that has not been undone. */
  undoLast(): Promise<void> {
    return this.inTurn(() => {
      const last = this.undoable.at(-1);
      if (last) this.undo(last);
      else this.add('There is nothing to undo here. What was done earlier is in the history.');
    });
  }

  /** An edit was taken back; `redo` does it again. */
  undone(redo: () => void | Promise<void>): void {
    this.redoable.push(redo);
    this.version++;
  }

  /** Ctrl+Shift+Z: the edit that was undone last, unless another was done since. */
  redoLast(): Promise<void> {
    return this.inTurn(async () => {
      const last = this.redoable.pop();
      if (last) await this.during(Promise.resolve(last()));
      else this.add('There is nothing to do again.');
    });
  }
}

export const toasts = new Toasts();
