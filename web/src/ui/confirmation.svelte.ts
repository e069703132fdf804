/** Asking before what cannot be undone, or is about very much. */

export interface Question {
  title: string;
  text: string;
  /** What the button says that goes on. */
  act: string;
  /** What must be typed first. */
  typed?: string;
}

class Confirmation {
  asked = $state.raw<Question | undefined>();
  private answer: ((yes: boolean) => void) | undefined;

  ask(question: Question): Promise<boolean> {
    this.answer?.(false);
    this.asked = question;
    return new Promise((answer) => (this.answer = answer));
  }

  reply(yes: boolean): void {
    this.asked = undefined;
    this.answer?.(yes);
    this.answer = undefined;
  }
}

export const confirmation = new Confirmation();
