/** Edits over images and their progress. */

import { ApiError, get, type EditResult, type EditState, type Schemas } from './client';

export type EditedImage = Schemas['EditedImage'];
export type Operation = Schemas['EditRecord'];
export type Purge = Schemas['PurgeResult'];

const WAIT_S = 1;
const MOVING: readonly EditState[] = ['applying', 'undoing', 'redoing'];

export function isMoving(state: EditState): boolean {
  return MOVING.includes(state);
}

/** Waits until the edit has finished; `onprogress` is called every second. Fails when the edit was reversed meanwhile. */
export async function followEdit(done: EditResult, onprogress: (done: EditResult) => void): Promise<EditResult> {
  const wanted = done.state === 'undoing' ? 'undone' : 'done';
  const moved = isMoving(done.state);
  while (isMoving(done.state)) {
    onprogress(done);
    done = await get('/api/v1/edits/{operation}', { params: { path: { operation: done.operation }, query: { wait: WAIT_S } } });
  }
  if (moved && done.state !== wanted) throw new ApiError(409, done.error ?? 'The edit did not complete.');
  return done;
}
