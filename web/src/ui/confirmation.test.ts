import { expect, test } from 'vitest';

import { confirmation } from './confirmation.svelte';

const QUESTION = { title: 'Delete 3 images?', text: 'This cannot be undone.', act: 'Delete' };

test('what is asked is shown until it is answered', async () => {
  const answer = confirmation.ask(QUESTION);
  expect(confirmation.asked).toEqual(QUESTION);
  confirmation.reply(true);
  expect(confirmation.asked).toBeUndefined();
  expect(await answer).toBe(true);
});

test('a second question is a no to the first', async () => {
  const first = confirmation.ask(QUESTION);
  const second = confirmation.ask({ ...QUESTION, title: 'Empty Trash?' });
  expect(await first).toBe(false);
  expect(confirmation.asked?.title).toBe('Empty Trash?');
  confirmation.reply(false);
  expect(await second).toBe(false);
});

test('an answer without a question changes nothing', () => {
  confirmation.reply(true);
  expect(confirmation.asked).toBeUndefined();
});
