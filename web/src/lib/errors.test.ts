import { expect, test } from 'vitest';

import { messageOf } from './errors';

test('an error says what happened; anything else that is thrown gets a sentence', () => {
  expect(messageOf(new Error('The drive is full.'))).toBe('The drive is full.');
  expect(messageOf('a word')).toBe('Something went wrong.');
  expect(messageOf(undefined, 'The tags could not be read.')).toBe('The tags could not be read.');
});
