/** The address is the state: which page, which query, which image, whether it fills the screen. */

import { grid } from './gallery/grid.svelte';
import { library } from './gallery/library.svelte';
import { toasts } from './ui/toasts.svelte';

export const LIBRARY = '/library';
export const LINEAGE = '/lineage';

/** Kept with an entry of the browser's history that this page made by opening the viewer. */
interface Opened {
  opened?: boolean;
}

class Routing {
  path = $state(LIBRARY);
  viewing = $state(false);
  /** The image that the page is about, if it is about one. */
  of = $state('');

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
    this.viewing = false;
    void library.open(query);
  }

  /** To a page; the library comes back as it was left when its query is the same. */
  to(path: string, query = ''): void {
    if (path !== LIBRARY) {
      this.leave();
      history.pushState(null, '', path);
      this.path = path;
      this.of = '';
      this.viewing = false;
    } else if (!this.inLibrary && query === library.query) {
      history.pushState(null, '', this.address(query, false));
      this.path = LIBRARY;
    } else this.search(query);
  }

  /** Images whose prompts are like that of this one. */
  similarTo(uuid: string): void {
    this.search(`like:${uuid}`);
  }

  lineageOf(uuid: string): void {
    this.leave();
    history.pushState({ opened: true } satisfies Opened, '', `${LINEAGE}?${new URLSearchParams({ of: uuid })}`);
    this.path = LINEAGE;
    this.of = uuid;
    this.viewing = false;
  }

  /** To where one was before this page was opened on top of it. */
  back(): void {
    if ((history.state as Opened | null)?.opened) history.back();
    else this.to(LIBRARY, library.query);
  }

  /** An image in the viewer, from another page: among what the library shows, else among everything. */
  async view(uuid: string): Promise<void> {
    let index = library.view.total ? await library.indexOf(uuid) : null;
    if (index === null) {
      await library.open('', uuid);
      index = await library.indexOf(uuid);
    }
    if (index === null) {
      toasts.add('This image is not in the library any more.');
      return;
    }
    library.focused = index;
    const params = new URLSearchParams({ ...(library.query ? { q: library.query } : {}), at: uuid, view: '1' });
    history.pushState({ opened: true } satisfies Opened, '', `${LIBRARY}?${params}`);
    this.path = LIBRARY;
    this.viewing = true;
  }

  openViewer(index: number): void {
    library.focused = index;
    this.leave();
    history.pushState({ opened: true } satisfies Opened, '', this.address(library.query, true));
    this.viewing = true;
  }

  /** The viewer's entry goes from the history, so that Back leads to what was there before it. */
  closeViewer(): void {
    if ((history.state as Opened | null)?.opened) history.back();
    else this.returnFromViewer();
  }

  private returnFromViewer(): void {
    this.viewing = false;
    this.leave();
    grid.reveal(library.focused);
    grid.take();
  }

  /** Before another address: this one remembers which image has the focus. */
  private leave(): void {
    if (this.inLibrary) history.replaceState(history.state, '', this.address(library.query, this.viewing));
  }

  private read(): void {
    const params = new URLSearchParams(location.search);
    const query = params.get('q') ?? '';
    const viewed = this.viewing;
    this.path = location.pathname === '/' ? LIBRARY : location.pathname;
    this.viewing = this.inLibrary && params.has('view');
    this.of = params.get('of') ?? '';
    if (!this.inLibrary) return;
    const at = params.get('at');
    if (query !== library.query || !library.loaded || library.error !== undefined) void library.open(query, at);
    else if (viewed && !this.viewing) this.returnFromViewer();
    else if (at && at !== library.uuidOf(library.focused)) void this.goTo(query, at);
  }

  private async goTo(query: string, uuid: string): Promise<void> {
    const index = await library.indexOf(uuid);
    if (index === null) await library.open(query, uuid);
    else grid.focus(index);
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
