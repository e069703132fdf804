/** Builds a folder tree with counts from a list of paths. */

import type { Facet } from '../../api/client';

export interface Folder {
  folder: Facet;
  /** Its name within its parent folder. */
  name: string;
  within: Folder[];
}

/** `folders` sorted by path; each one belongs to the nearest folder above it. */
export function treeOf(folders: readonly Facet[]): Folder[] {
  const tops: Folder[] = [];
  const known = new Map<string, Folder>();
  for (const folder of folders) {
    const above = nearestAbove(known, folder.value);
    const made = { folder, name: above ? folder.value.slice(above.folder.value.length + 1) : folder.value, within: [] };
    known.set(folder.value, made);
    (above?.within ?? tops).push(made);
  }
  return tops;
}

function nearestAbove(known: ReadonlyMap<string, Folder>, path: string): Folder | undefined {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const found = known.get(path.slice(0, end));
    if (found) return found;
  }
  return undefined;
}
