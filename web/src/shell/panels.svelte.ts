/** What lies over or beside the pages: the dialogs, the panel that says how an image was made. */

/** A narrower window has no room for the inspector unless one asks for it. */
const ROOM_PX = 960;

class Panels {
  dialog = $state<'keys' | 'date' | undefined>();
  inspecting = $state(localStorage.getItem('inspecting') !== 'no' && innerWidth >= ROOM_PX);

  toggleInspector(): void {
    this.inspecting = !this.inspecting;
    localStorage.setItem('inspecting', this.inspecting ? 'yes' : 'no');
  }
}

export const panels = new Panels();
