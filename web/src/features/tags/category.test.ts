import { expect, test } from 'vitest';

import { hueOf } from './category';

test('a category has one color, in any case of letters', () => {
  expect(hueOf('Character')).toBe(hueOf('character'));
  expect(hueOf('weather')).toBe(hueOf('Weather'));
  expect(hueOf('weather')).toBeGreaterThanOrEqual(0);
  expect(hueOf('weather')).toBeLessThan(360);
  expect(hueOf(null)).toBeUndefined();
});
