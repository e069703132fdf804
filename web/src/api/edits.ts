/** Edits over images and their progress, as the server sends them. */

import { ApiError, get, type EditState, type EditResult } from './client';

/** An image of an edit, wherever it is now. */
export interface EditedImage {
  uuid: string;
  thumb: string | null;
  color: number | null;
  width: number | null;
  height: number | null;
  state: 'here' | 'trashed' | 'gone';
}

/** `steps` are its kinds and arguments, the first of `steps_total`. */
export interface Operation extends EditResult {
  at: number;
  kind: string;
  steps: [kind: string, args: Record<string, unknown>][];
  steps_total: number;
  images: EditedImage[];
}

export interface Purge {
  images: number;
  files: number;
  bytes: number;
  /** Text files next to the images, which are kept. */
  beside: string[];
  /** Files that were kept, and why. */
  kept: [path: string, reason: string][];
  left: number;
}

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
    done = await get<EditResult>(`/api/v1/edits/${done.operation}?wait=${WAIT_S}`);
  }
  if (moved && done.state !== wanted) throw new ApiError(409, done.error ?? 'The edit did not complete.');
  return done;
}
