import { expect, test } from 'vitest';

import { describeChanges, describeExcluded, describeExcludes, describeLoss, describeNotShown, describeScan } from './labels';

const NOTHING = { files_seen: 1_200, imported: 0, changed: 0, unchanged: 1_200, moved: 0, copies: 0, missing: 0, failed: 0, seconds: 1, failures: [], offline: [], examples: {}, asks: false, not_shown: {} };

test('a scan says what there is of each change', () => {
  expect(describeScan(NOTHING)).toBe('Scanned 1,200 files. No changes.');
  expect(describeScan({ ...NOTHING, imported: 1_000, missing: 2 })).toBe('Scanned: 1,000 new, 2 missing.');
  expect(describeChanges({})).toBe('');
});

test('files that are not images are counted by kind', () => {
  expect(describeNotShown({})).toBe('');
  expect(describeNotShown({ links: 1, PSD: 12, 'other files': 3 })).toBe('12 PSD, 3 other files, 1 link not shown');
  expect(describeScan({ ...NOTHING, not_shown: { MP4: 2 } })).toBe('Scanned 1,200 files. No changes. 2 MP4 not shown.');
});

test('a change of exclude patterns names what it hides and what it shows again', () => {
  expect(describeExcludes({ hide: 1, show: 0, kept: 2 })).toBe('This will hide 1 image. 2 images with excluded files will stay visible, because they have other files that are not excluded.');
  expect(describeExcludes({ hide: 1_204, show: 1, kept: 0 })).toBe('This will hide 1,204 images and show 1 image again.');
  expect(describeExcludes({ hide: 0, show: 0, kept: 0 })).toBe('This will not hide any images in the library.');
  expect([describeExcluded({ hide: 1, show: 0 }), describeExcluded({ hide: 0, show: 2 }), describeExcluded({ hide: 0, show: 0 })]).toEqual(['1 image hidden.', '2 images shown again.', 'Exclude patterns saved.']);
});

test('the brake asks with the share that is gone', () => {
  expect(describeLoss({ would_miss: 0, images: 10 })).toBe('');
  expect(describeLoss({ would_miss: 300, images: 1_000 })).toBe('30% of this folder is missing: 300 of 1,000 files.');
  expect(describeLoss({ would_miss: 101, images: 1_000_000 })).toContain('1%');
});
