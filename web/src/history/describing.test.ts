import { expect, test } from 'vitest';

import type { Operation } from '../api/deeds';
import { described } from './describing';

function deed(kind: string, args: Record<string, unknown>, changed = 3, more: Partial<Operation> = {}): Operation {
  return { operation: 1, at: 0, kind, changed, total: changed, state: 'done', trouble: null, steps: [[kind, args]], steps_total: 1, images: [], ...more };
}

test.each([
  [deed('rating', { value: 4 }), 'Rated 3 images ★★★★'],
  [deed('rating', { value: 0 }, 1), 'Cleared the rating of 1 image'],
  [deed('favorite', { value: false }, 1_200), 'Removed 1,200 images from favourites'],
  [deed('tag', { add: ['fox', 'snow'], remove: ['dog'] }), 'Tagged with “fox”, “snow”; Took away “dog” on 3 images'],
  [deed('trash', {}, 1), 'Moved 1 image to the Trash'],
  [deed('template.import', {}, 2, { steps_total: 2 }), 'Imported 2 styles as templates'],
  [deed('wildcard', { name: 'colour', content: null }), 'Deleted the wildcard “colour”'],
  [deed('something_new.made', {}), 'something new made'],
])('a deed is said in words', (operation, words) => {
  expect(described(operation)).toBe(words);
});

test('a collection is called by its name where that is known', () => {
  const collect = deed('collect', { collection: 'u1' });
  expect(described(collect, new Map([['u1', 'Best of']]))).toBe('Added 3 images to collection “Best of”');
  expect(described(collect)).toBe('Added 3 images to a collection');
});
