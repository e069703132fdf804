/** The search box as a thing that keys can reach. */

class Searching {
  input: HTMLInputElement | undefined;

  focus(): void {
    this.input?.focus();
    this.input?.select();
  }
}

export const searching = new Searching();
