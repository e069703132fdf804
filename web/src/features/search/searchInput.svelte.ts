/** The search box as a thing that keys can reach. */

class SearchInput {
  input: HTMLInputElement | undefined;

  focus(): void {
    this.input?.focus();
    this.input?.select();
  }
}

export const searchInput = new SearchInput();
