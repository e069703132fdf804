/** Recent searches in this browser. */

const KEY = 'recent searches';
export const MOST_RECENT = 20;

class Recent {
  queries = $state.raw<readonly string[]>(readStored());

  add(query: string): void {
    if (query) this.keep([query, ...this.queries.filter((one) => one !== query)].slice(0, MOST_RECENT));
  }

  remove(query: string): void {
    this.keep(this.queries.filter((one) => one !== query));
  }

  private keep(queries: readonly string[]): void {
    this.queries = queries;
    localStorage.setItem(KEY, JSON.stringify(queries));
  }
}

function readStored(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string').slice(0, MOST_RECENT) : [];
  } catch {
    return [];
  }
}

export const recent = new Recent();
