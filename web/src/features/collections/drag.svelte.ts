/** What is being dragged within the gallery: images or a collection. The browser's own drag data is hidden until the drop. */

import { formatCount } from '../../lib/format';
import { Selection } from '../../lib/selection';
import { library } from '../gallery/library.svelte';

export type Dragged = { images: Selection } | { collection: string };

const KIND = 'application/x-mysticanvas';

class Dragging {
  what = $state.raw<Dragged | undefined>();

  get images(): Selection | undefined {
    return this.what && 'images' in this.what ? this.what.images : undefined;
  }

  get collection(): string | undefined {
    return this.what && 'collection' in this.what ? this.what.collection : undefined;
  }

  /** A selected image drags the whole selection along. */
  beginImages(event: DragEvent, index: number): void {
    const selected = library.selection.has(index) ? library.selection : Selection.of(index);
    this.begin(event, { images: selected }, formatCount(selected.count, 'image'), 'copyMove');
  }

  beginCollection(event: DragEvent, uuid: string, name: string): void {
    this.begin(event, { collection: uuid }, name, 'move');
  }

  end(): void {
    this.what = undefined;
  }

  private begin(event: DragEvent, what: Dragged, label: string, allowed: 'copyMove' | 'move'): void {
    if (!event.dataTransfer) return;
    event.dataTransfer.setData(KIND, label);
    event.dataTransfer.effectAllowed = allowed;
    const badge = document.createElement('div');
    badge.className = 'dragged';
    badge.textContent = label;
    document.body.append(badge);
    event.dataTransfer.setDragImage(badge, -12, -12);
    setTimeout(() => badge.remove());
    this.what = what;
  }
}

export const dragging = new Dragging();
