import { expect, test } from 'vitest';

import type { Operation } from '../../api/edits';
import { describeEdit } from './labels';

function edit(kind: string, args: Record<string, unknown>, changed = 3, more: Partial<Operation> = {}): Operation {
  return { operation: 1, at: 0, kind, changed, total: changed, state: 'done', error: null, steps: [[kind, args]], steps_total: 1, images: [], ...more };
}

test.each([
  [edit('rating', { value: 4 }), 'Rated 3 images ★★★★'],
  [edit('rating', { value: 0 }, 1), 'Cleared the rating of 1 image'],
  [edit('favorite', { value: false }, 1_200), 'Removed 1,200 images from favorites'],
  [edit('tag', { add: ['fox', 'snow'], remove: ['dog'] }), 'Added tags “fox”, “snow”; removed tags “dog”: 3 images'],
  [edit('tag', { remove: ['dog'] }, 1), 'Removed tags “dog”: 1 image'],
  [edit('tag.threshold', { source: 'vision', value: 0.4 }, 1), 'Set the default confidence threshold for taggers'],
  [edit('tag.threshold', { source: 'llm', value: null, tag: 'fox' }, 1), 'Removed the confidence threshold of “fox” for language models'],
  [edit('tag.threshold', { source: 'other', value: 0, tag: 'fox' }, 1), 'Set the confidence threshold of “fox” for other'],
  [edit('template.import', {}, 1), 'Imported 1 style as a template'],
  [edit('trash', {}, 1), 'Moved 1 image to Trash'],
  [edit('folder.exclude', { root: 1, folder: '/pictures', patterns: ['drafts/'] }, 3, { steps_total: 2 }), 'Changed the exclude patterns of “/pictures”: 3 images hidden or shown'],
  [edit('template.import', {}, 2, { steps_total: 2 }), 'Imported 2 styles as templates'],
  [edit('wildcard', { name: 'color', content: null }), 'Deleted the wildcard “color”'],
  [edit('something_new.made', {}), 'something new made'],
])('an edit is said in words', (operation, words) => {
  expect(describeEdit(operation)).toBe(words);
});

test('a collection is called by its name where that is known', () => {
  const collect = edit('collect', { collection: 'u1' });
  expect(describeEdit(collect, new Map([['u1', 'Best of']]))).toBe('Added 3 images to collection “Best of”');
  expect(describeEdit(collect)).toBe('Added 3 images to a collection');
});
