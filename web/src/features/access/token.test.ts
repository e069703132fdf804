import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { answer, refusal } from '../../api/answers';
import { confirmation } from '../../ui/confirmation.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { replaceToken } from './token';

beforeEach(() => void (toasts.list = []));
afterEach(() => void vi.unstubAllGlobals());

async function reply(yes: boolean): Promise<void> {
  const done = replaceToken();
  confirmation.reply(yes);
  await done;
}

test('the token is replaced after a yes, and only then', async () => {
  const asked = answer({ '/api/v1/session/token': null });
  await reply(false);
  expect([asked, toasts.list]).toEqual([[], []]);
  await reply(true);
  expect(asked.map(({ path, body }) => [path, body])).toEqual([['/api/v1/session/token', { confirm: true }]]);
  expect(toasts.list.map(({ text }) => text)).toEqual(['The token was replaced. Other browsers are signed out.']);
});

test('a token that could not be replaced is said with the reason', async () => {
  answer({ '/api/v1/session/token': refusal(503, 'The token was not replaced: the disk is full.') });
  await reply(true);
  expect(toasts.list.map(({ text }) => text)).toEqual(['The token was not replaced: the disk is full.']);
});
