/** What lies over or beside the pages: the dialogs, the panel that says how an image was made. */

class Panels {
  dialog = $state<'keys' | 'date' | undefined>();
  inspecting = $state(localStorage.getItem('inspecting') !== 'no');

  toggleInspector(): void {
    this.inspecting = !this.inspecting;
    localStorage.setItem('inspecting', this.inspecting ? 'yes' : 'no');
  }
}

export const panels = new Panels();
