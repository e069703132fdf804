import { expect, test } from 'vitest';

import { treeOf, type Folder } from './folders';

const named = (...paths: string[]) => paths.map((value) => ({ value, count: 1, text: `path:${value}` }));
const drawn = (folders: Folder[]): unknown[] => folders.map((one) => (one.within.length ? [one.name, drawn(one.within)] : one.name));

test('a folder is in the nearest one that it lies beneath', () => {
  const tree = treeOf(named('/home/pictures', '/home/pictures-old', '/home/pictures/2026', '/home/pictures/2026/08', 'D:/art/new'));
  expect(drawn(tree)).toEqual([['/home/pictures', [['2026', ['08']]]], '/home/pictures-old', 'D:/art/new']);
});
