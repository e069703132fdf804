/** A selection of images as a view. */

import type { Selection } from '../lib/selection';
import { get, post, type Page, type Snapshot } from './client';

/** The selected images of a view that also match a query, in their order. */
export function narrow(snapshot: string, selected: Selection, q = ''): Promise<Snapshot> {
  return post<Snapshot>(`/api/v1/snapshots/${snapshot}:narrow`, { ranges: selected.ranges, except: [...selected.excluded], q });
}

/** The first selected images of a view. */
export async function uuidsOf(snapshot: string, selected: Selection, most: number): Promise<string[]> {
  const view = await narrow(snapshot, selected);
  const page = await get<Page>(`/api/v1/snapshots/${view.snapshot}/items?start=0&count=${most}`);
  return page.uuid.filter((uuid) => uuid !== null);
}
