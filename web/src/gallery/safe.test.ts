import { beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => {
  vi.stubGlobal('localStorage', { getItem: () => 'yes', setItem: () => undefined });
  vi.resetModules();
});

test('what scores as explicit is blurred, by the threshold of the person', async () => {
  const { Safe } = await import('./safe.svelte');
  const safe = new Safe();
  expect(safe.blurs(0.7)).toBe(true);
  safe.take({ is_on: true, clip: null, least_explicit: 0.9 });
  expect([safe.blurs(0.89), safe.blurs(0.9)]).toEqual([false, true]);
});

test('nothing is blurred while it is off, nor what no model has looked at', async () => {
  const { Safe } = await import('./safe.svelte');
  const safe = new Safe();
  expect([safe.blurs(null), safe.blurs(undefined)]).toEqual([false, false]);
  safe.on = false;
  expect(safe.blurs(1)).toBe(false);
});
