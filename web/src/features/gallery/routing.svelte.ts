/** The address is the state: page, query, image and viewer. */

import { toasts } from '../../ui/toasts.svelte';
import { grid } from './grid.svelte';
import { library, type Scope } from './library.svelte';

export const LIBRARY = '/library';
export const LINEAGE = '/lineage';
export const TRASH = '/trash';

/** Stored in the browser history entry that this page created by opening the viewer. */
interface Opened {
  opened?: boolean;
}

function scopeOf(path: string): Scope | undefined {
  return path === LIBRARY ? 'library' : path === TRASH ? 'trash' : undefined;
}

class Routing {
  path = $state(LIBRARY);
  viewing = $state(false);
  /** The image that the page is about, if any. */
  of = $state('');
  /** The browser is going back, which takes a moment; a second request would leave the page before that, too. */
  private returning = false;
  /** The scroll position of the list after going back. */
  private wanted: string | undefined;

  get inLibrary(): boolean {
    return this.path === LIBRARY;
  }

  /** Whether the page shows images in the grid. */
  get inList(): boolean {
    return this.inLibrary || this.path === TRASH;
  }

  /** Shows what the address says, now and whenever it changes; call the result to stop. */
  start(): () => void {
    const read = (): void => {
      this.returning = false;
      this.read();
    };
    read();
    addEventListener('popstate', read);
    return () => removeEventListener('popstate', read);
  }

  /** Opens the library with another query. */
  search(query: string): void {
    this.leave();
    history.pushState(null, '', query ? `${LIBRARY}?${new URLSearchParams({ q: query })}` : LIBRARY);
    this.path = LIBRARY;
    this.viewing = false;
    void library.open(query);
  }

  /** Opens a page; the last shown list comes back as it was. */
  to(path: string, query = ''): void {
    const scope = scopeOf(path);
    if (!scope) this.over(path, '', false);
    else if (!this.inList && scope === library.scope && query === library.query) {
      history.pushState(null, '', this.address(query, false, path));
      this.path = path;
    } else if (scope === 'trash') {
      this.leave();
      history.pushState(null, '', TRASH);
      this.path = TRASH;
      this.viewing = false;
      void library.open('', null, 'trash');
    } else this.search(query);
  }

  /** Images with prompts similar to this image's. */
  similarTo(uuid: string): void {
    this.search(`like:${uuid}`);
  }

  /** Images visually similar to this one. */
  findVisuallySimilar(uuid: string): void {
    this.search(`looks:${uuid}`);
  }

  lineageOf(uuid: string): void {
    this.over(LINEAGE, uuid);
  }

  /** Opens a page about some images on top of this one: `back` leads here again. */
  over(path: string, of: string, opened = true): void {
    this.leave();
    const address = of ? `${path}?${new URLSearchParams({ of })}` : path;
    history.pushState(opened ? ({ opened } satisfies Opened) : null, '', address);
    this.path = path;
    this.of = of;
    this.viewing = false;
  }

  /** Goes back to the page below this one; at the image `at`, if given. */
  back(at?: string): void {
    this.wanted = at;
    if ((history.state as Opened | null)?.opened) this.goBack();
    else {
      this.to(library.scope === 'trash' ? TRASH : LIBRARY, library.query);
      this.read();
    }
  }

  /** Opens an image in the viewer from another page: in the current list if it is there, else among all images. */
  async view(uuid: string, scope: Scope = 'library'): Promise<void> {
    let index = library.scope === scope && library.view.total ? await library.indexOf(uuid) : null;
    if (index === null) {
      await library.open('', uuid, scope);
      index = await library.indexOf(uuid);
    }
    if (index === null) {
      toasts.add('This image is no longer in the library.');
      return;
    }
    library.focused = index;
    const path = scope === 'trash' ? TRASH : LIBRARY;
    const params = new URLSearchParams({ ...(library.query ? { q: library.query } : {}), at: uuid, view: '1' });
    history.pushState({ opened: true } satisfies Opened, '', `${path}?${params}`);
    this.path = path;
    this.viewing = true;
  }

  openViewer(index: number): void {
    library.focused = index;
    this.leave();
    history.pushState({ opened: true } satisfies Opened, '', this.address(library.query, true));
    this.viewing = true;
    // A key was faster than the rows: the address gets the image once it is loaded.
    if (!library.uuidOf(index)) void library.focusedUuid().then(() => this.viewing && this.leave());
  }

  /** Removes the viewer's history entry, so that Back leads to the page before it. */
  closeViewer(): void {
    if ((history.state as Opened | null)?.opened) this.goBack();
    else this.returnFromViewer();
  }

  private goBack(): void {
    if (this.returning) return;
    this.returning = true;
    history.back();
  }

  private returnFromViewer(): void {
    this.viewing = false;
    this.leave();
    grid.reveal(library.focused);
    grid.take();
  }

  /** Before the address changes, this entry stores the focused image. */
  private leave(): void {
    if (this.inList) history.replaceState(history.state, '', this.address(library.query, this.viewing));
  }

  private read(): void {
    const params = new URLSearchParams(location.search);
    const query = params.get('q') ?? '';
    const viewed = this.viewing;
    this.path = location.pathname === '/' ? LIBRARY : location.pathname;
    this.viewing = this.inList && params.has('view');
    this.of = params.get('of') ?? '';
    const scope = scopeOf(this.path);
    if (!scope) return;
    const at = this.wanted ?? params.get('at');
    this.wanted = undefined;
    const other = query !== library.query || scope !== library.scope;
    if (other || !library.loaded || library.error !== undefined) void library.open(query, at, scope);
    else if (viewed && !this.viewing) this.returnFromViewer();
    else if (at && at !== library.uuidOf(library.focused)) void this.goTo(query, at);
  }

  private async goTo(query: string, uuid: string): Promise<void> {
    const index = await library.indexOf(uuid);
    if (index === null) await library.open(query, uuid, library.scope);
    else grid.focus(index);
  }

  private address(query: string, view: boolean, path = this.path): string {
    const params = new URLSearchParams();
    if (query) params.set('q', query);
    const at = library.focused > 0 || view ? library.uuidOf(library.focused) : undefined;
    if (at && query === library.query) params.set('at', at);
    if (view) params.set('view', '1');
    const search = params.toString();
    return search ? `${path}?${search}` : path;
  }
}

export const routing = new Routing();
