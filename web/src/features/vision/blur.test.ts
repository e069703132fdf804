import { beforeEach, expect, test, vi } from 'vitest';

beforeEach(() => {
  vi.stubGlobal('localStorage', { getItem: () => 'yes', setItem: () => undefined });
  vi.resetModules();
});

test('what scores as explicit is blurred, by the threshold of the person', async () => {
  const { Blur } = await import('./blur.svelte');
  const blur = new Blur();
  expect(blur.blurs(0.7)).toBe(true);
  blur.take({ is_on: true, clip: null, least_explicit: 0.9 });
  expect([blur.blurs(0.89), blur.blurs(0.9)]).toEqual([false, true]);
});

test('nothing is blurred while it is off, nor what no model has looked at', async () => {
  const { Blur } = await import('./blur.svelte');
  const blur = new Blur();
  expect([blur.blurs(null), blur.blurs(undefined)]).toEqual([false, false]);
  blur.on = false;
  expect(blur.blurs(1)).toBe(false);
});

test('a thumbnail alone is blurred until its score is known, and many are asked about at once', async () => {
  vi.useFakeTimers();
  const asked: string[][] = [];
  const answer = async (request: Request): Promise<Response> => {
    asked.push(((await request.json()) as { thumbs: string[] }).thumbs);
    return Response.json({ explicit: { bad: 0.9, good: 0.1 } });
  };
  vi.stubGlobal('fetch', answer);
  const { Blur } = await import('./blur.svelte');
  const blur = new Blur();
  expect(['bad', 'good', 'unseen', 'bad'].map((thumb) => blur.blursThumb(thumb))).toEqual([true, true, true, true]);
  await vi.runAllTimersAsync();
  expect(['bad', 'good', 'unseen', undefined].map((thumb) => blur.blursThumb(thumb))).toEqual([true, false, false, false]);
  expect(asked).toEqual([['bad', 'good', 'unseen']]);
  vi.useRealTimers();
});

test('what the server could not be asked about stays blurred and is asked about again', async () => {
  vi.useFakeTimers();
  let times = 0;
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError(`no network, ${++times}`)));
  const { Blur } = await import('./blur.svelte');
  const blur = new Blur();
  for (const time of [1, 2]) {
    expect(blur.blursThumb('bad')).toBe(true);
    await vi.runAllTimersAsync();
    expect(times).toBe(time);
  }
  vi.useRealTimers();
});
