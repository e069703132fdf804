/** Asks for confirmation before an edit that is irreversible or very large. */

export interface Question {
  title: string;
  text: string;
  /** The label of the confirm button. */
  act: string;
  /** The text to type first. */
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
