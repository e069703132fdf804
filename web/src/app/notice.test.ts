import { expect, test, vi } from 'vitest';

import type { Status } from '../api/client';

test('a warning is shown until it is dismissed, also after a reload, and the next one is shown again', async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => kept.set(name, value) });
  const { library } = await import('../features/gallery/library.svelte');
  const { Notice } = await import('./notice.svelte');
  const warn = (id: number): void => {
    library.status = { notice: { id, message: `Warning ${id}` } } as Status;
  };
  const shown = new Notice();
  expect(shown.sentence).toBeNull();
  warn(7);
  expect(shown.sentence).toBe('Warning 7');
  shown.dismiss();
  expect(shown.sentence).toBeNull();
  expect(new Notice().sentence).toBeNull();
  warn(8);
  expect(shown.sentence).toBe('Warning 8');
});
