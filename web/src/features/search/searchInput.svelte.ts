/** Lets keyboard shortcuts focus the search box. */

class SearchInput {
  input: HTMLInputElement | undefined;

  focus(): void {
    this.input?.focus();
    this.input?.select();
  }
}

export const searchInput = new SearchInput();
