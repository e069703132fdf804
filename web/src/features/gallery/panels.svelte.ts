/** The dialogs, and the panels beside the pages: filters, collections and the inspector. */

/** In a narrower window the panels open only on request. */
const ROOM_PX = 960;

class Panels {
  dialog = $state<'keys' | 'date' | 'tags' | 'collect' | 'collection' | 'search' | 'notes' | 'template' | undefined>();
  inspecting = $state(localStorage.getItem('inspecting') !== 'no' && innerWidth >= ROOM_PX);
  /** The filters panel. */
  filtering = $state(localStorage.getItem('filtering') === 'yes' && innerWidth >= ROOM_PX);

  /** The collections panel. */
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
