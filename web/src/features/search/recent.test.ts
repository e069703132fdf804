// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest';

test('the last twenty searches are kept, each once, and can be forgotten', async () => {
  localStorage.setItem('recent searches', 'no list at all');
  const { recent } = await import('./recent.svelte');
  for (let number = 0; number < 25; number++) recent.add(`search ${number}`);
  recent.add('search 20');
  expect(recent.queries).toHaveLength(20);
  expect(recent.queries.slice(0, 3)).toEqual(['search 20', 'search 24', 'search 23']);
  recent.remove('search 24');
  vi.resetModules();
  const anew = await import('./recent.svelte');
  expect(anew.recent.queries.slice(0, 2)).toEqual(['search 20', 'search 23']);
});
