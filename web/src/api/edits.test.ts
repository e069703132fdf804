import { afterEach, expect, test, vi } from 'vitest';

import { answer } from './answers';
import type { EditResult, EditState } from './client';
import { followEdit, isMoving } from './edits';

afterEach(() => void vi.unstubAllGlobals());

function at(state: EditState, changed: number, error: string | null = null): EditResult {
  return { operation: 7, changed, total: 3_000, state, error };
}

/** The server reports each of these in turn. */
function reports(...states: EditResult[]): ReturnType<typeof answer> {
  return answer({ '/api/v1/edits/7': () => states.shift() ?? at('done', 0) });
}

test('an edit is on its way while it is applied, undone or redone', () => {
  const states: EditState[] = ['applying', 'done', 'undoing', 'undone', 'redoing', 'expired'];
  expect(states.filter(isMoving)).toEqual(['applying', 'undoing', 'redoing']);
});

test('one that is done at once is not asked about', async () => {
  const asked = reports();
  const seen: number[] = [];
  expect(await followEdit(at('done', 3), ({ changed }) => seen.push(changed))).toEqual(at('done', 3));
  expect([asked, seen]).toEqual([[], []]);
});

test('a long one is followed to its end, its progress told on the way', async () => {
  const asked = reports(at('applying', 2_000), at('done', 3_000));
  const seen: number[] = [];
  expect((await followEdit(at('applying', 1_000), ({ changed }) => seen.push(changed))).changed).toBe(3_000);
  expect(seen).toEqual([1_000, 2_000]);
  expect(asked.map(({ params }) => params.get('wait'))).toEqual(['1', '1']);
});

test('one that was turned round on its way fails with the reason', async () => {
  reports(at('undone', 0, 'The disk is full.'));
  await expect(followEdit(at('applying', 1_000), () => undefined)).rejects.toThrow('The disk is full.');
  reports(at('done', 0));
  await expect(followEdit(at('undoing', 1_000), () => undefined)).rejects.toThrow('The edit did not complete.');
});

test('an undo arrives when it is undone', async () => {
  reports(at('undone', 3_000));
  expect((await followEdit(at('undoing', 1_000), () => undefined)).state).toBe('undone');
});
