import { expect, test } from 'vitest';

import { sameName, typedAs } from './typed';

test('a minus before a name removes it', () => {
  expect(typedAs(' -red fox ')).toEqual({ name: 'red fox', removes: true });
  expect(typedAs('red-haired ')).toEqual({ name: 'red-haired', removes: false });
  expect(typedAs('-')).toEqual({ name: '', removes: true });
});

test('names are compared as the library does', () => {
  expect(sameName('Long_Hair', 'long  hair')).toBe(true);
  expect(sameName('long hair', 'longhair')).toBe(false);
});
