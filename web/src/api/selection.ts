/** A selection of images as a view. */

import type { Selection } from '../lib/selection';
import { get, post, type Schemas, type Snapshot } from './client';

/** A selection, as a request lists it. */
export function listSelection(selected: Selection): Required<Pick<Schemas['NarrowRequest'], 'ranges' | 'except'>> {
  return { ranges: [...selected.ranges], except: [...selected.excluded] };
}

/** The selected images of a view that also match a query, in their order. */
export function narrow(snapshot: string, selected: Selection, q = ''): Promise<Snapshot> {
  return post('/api/v1/snapshots/{token}:narrow', { params: { path: { token: snapshot } }, body: { ...listSelection(selected), q } });
}

/** The first selected images of a view. */
export async function uuidsOf(snapshot: string, selected: Selection, most: number): Promise<string[]> {
  const view = await narrow(snapshot, selected);
  const page = await get('/api/v1/snapshots/{token}/items', { params: { path: { token: view.snapshot }, query: { start: 0, count: most } } });
  return page.uuid.filter((uuid) => uuid !== null);
}
