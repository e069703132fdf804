import { expect, test } from 'vitest';

import { sameName, parseTyped } from './names';

test('a minus before a name removes it', () => {
  expect(parseTyped(' -red fox ')).toEqual({ name: 'red fox', removes: true });
  expect(parseTyped('red-haired ')).toEqual({ name: 'red-haired', removes: false });
  expect(parseTyped('-')).toEqual({ name: '', removes: true });
});

test('names are compared as the library does', () => {
  expect(sameName('Long_Hair', 'long  hair')).toBe(true);
  expect(sameName('long hair', 'longhair')).toBe(false);
});
