/** What lies over or beside the pages: the dialogs, the panels of filters and of how an image was made. */

/** A narrower window has no room for the panels unless one asks for it. */
const ROOM_PX = 960;

class Panels {
  dialog = $state<'keys' | 'date' | 'tags' | 'collect' | 'collection' | 'search' | 'notes' | 'template' | undefined>();
  inspecting = $state(localStorage.getItem('inspecting') !== 'no' && innerWidth >= ROOM_PX);
  /** The panel of filters. */
  filtering = $state(localStorage.getItem('filtering') === 'yes' && innerWidth >= ROOM_PX);

  /** The panel of collections. */
  collecting = $state(localStorage.getItem('collecting') === 'yes' && innerWidth >= ROOM_PX);

  toggleCollections(): void {
    this.collecting = !this.collecting;
    localStorage.setItem('collecting', this.collecting ? 'yes' : 'no');
  }

  toggleFilters(): void {
    this.filtering = !this.filtering;
    localStorage.setItem('filtering', this.filtering ? 'yes' : 'no');
  }

  toggleInspector(): void {
    this.inspecting = !this.inspecting;
    localStorage.setItem('inspecting', this.inspecting ? 'yes' : 'no');
  }
}

export const panels = new Panels();
