/** The address is the state: which page, which query, which image, whether it fills the screen. */

import { grid } from './gallery/grid.svelte';
import { library } from './gallery/library.svelte';

export const LIBRARY = '/library';

class Routing {
  path = $state(LIBRARY);
  viewing = $state(false);

  get inLibrary(): boolean {
    return this.path === LIBRARY;
  }

  /** Shows what the address says, now and whenever it changes; the result ends that. */
  start(): () => void {
    const read = (): void => this.read();
    read();
    addEventListener('popstate', read);
    return () => removeEventListener('popstate', read);
  }

  /** The library with another query. */
  search(query: string): void {
    this.leave();
    history.pushState(null, '', query ? `${LIBRARY}?${new URLSearchParams({ q: query })}` : LIBRARY);
    this.path = LIBRARY;
    void library.open(query);
  }

  /** To a page; the library comes back as it was left when its query is the same. */
  to(path: string, query = ''): void {
    if (path !== LIBRARY) {
      this.leave();
      history.pushState(null, '', path);
      this.path = path;
    } else if (!this.inLibrary && query === library.query) {
      history.pushState(null, '', this.address(query, false));
      this.path = LIBRARY;
    } else this.search(query);
  }

  openViewer(index: number): void {
    library.focused = index;
    this.leave();
    history.pushState(null, '', this.address(library.query, true));
    this.viewing = true;
  }

  closeViewer(): void {
    this.viewing = false;
    this.leave();
    grid.reveal(library.focused);
    grid.take();
  }

  /** Before another address: this one remembers which image has the focus. */
  private leave(): void {
    if (this.inLibrary) history.replaceState(null, '', this.address(library.query, false));
  }

  private read(): void {
    const params = new URLSearchParams(location.search);
    this.path = location.pathname === '/' ? LIBRARY : location.pathname;
    this.viewing = params.has('view');
    if (!this.inLibrary) return;
    const at = params.get('at');
    const query = params.get('q') ?? '';
    const other = query !== library.query || !library.loaded || library.error !== undefined;
    if (other || (at !== null && at !== library.uuidOf(library.focused))) void library.open(query, at);
  }

  private address(query: string, view: boolean): string {
    const params = new URLSearchParams();
    if (query) params.set('q', query);
    const at = library.focused > 0 || view ? library.uuidOf(library.focused) : undefined;
    if (at && query === library.query) params.set('at', at);
    if (view) params.set('view', '1');
    const said = params.toString();
    return said ? `${LIBRARY}?${said}` : LIBRARY;
  }
}

export const routing = new Routing();
