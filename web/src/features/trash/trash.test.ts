import { afterEach, expect, test, vi } from 'vitest';

import wire from '../../../../tests/wire/trash.json';
import { answer, refusal } from '../../api/answers';
import { trash } from './trash.svelte';

afterEach(() => void vi.unstubAllGlobals());

test('how the Trash is kept is known, also while the server is away', async () => {
  answer({ '/api/v1/trash': wire });
  await trash.load();
  expect(trash.facts?.days).toBe(wire.days);
  answer({ '/api/v1/trash': refusal(503, 'Away.') });
  await trash.load();
  expect(trash.facts?.days).toBe(wire.days);
});

test('a setting is sent alone, and shown as the server then has it', async () => {
  const asked = answer({ '/api/v1/trash': { ...wire, days: 7 }, '/api/v1/trash/settings': null });
  await trash.set({ days: 7 });
  expect([asked[0]?.body, trash.facts?.days]).toEqual([{ days: 7 }, 7]);
});
