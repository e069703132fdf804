import { expect, test } from 'vitest';

import type { DuplicateImage } from '../../api/duplicates';
import { best, fileName, hasOtherSettings, rows } from './differences';

const image = (uuid: string, known: Partial<DuplicateImage> = {}): DuplicateImage => ({
  uuid,
  thumb: null,
  width: 512,
  height: 768,
  bytes: 1000,
  format: 'png',
  rating: 0,
  favorite: false,
  timestamp: 0,
  places: [`/pictures/${uuid}.png`],
  ...known,
});

test('one keeps what was marked, then the largest, then the oldest', () => {
  expect(best([image('a', { width: 1024 }), image('b', { rating: 1 })])).toBe('b');
  expect(best([image('a', { rating: 5 }), image('b', { favorite: true })])).toBe('b');
  expect(best([image('a'), image('b', { height: 1024 })])).toBe('b');
  expect(best([image('a', { timestamp: 2 }), image('b', { timestamp: 1 })])).toBe('b');
  expect(best([])).toBeUndefined();
});

test('rows say in what the images differ, and leave out what none of them has', () => {
  const found = rows([image('a'), image('b', { bytes: 2_000_000 })], new Map());
  expect(found.filter((row) => row.differs).map((row) => row.name)).toEqual(['File', 'Name']);
  expect(found.find((row) => row.name === 'Size')).toEqual({ name: 'Size', values: ['512 × 768', '512 × 768'], differs: false });
  expect(found.map((row) => row.name)).not.toContain('Prompt');
});

test('images with other recipes are told apart, a copy that says nothing is not', () => {
  const row = (values: string[]) => [{ name: 'Prompt', values, differs: true }];
  expect(hasOtherSettings(row(['amber silk', '', 'amber silk']))).toBe(false);
  expect(hasOtherSettings(row(['amber silk', '', 'ember silk']))).toBe(true);
  expect(hasOtherSettings([{ name: 'File', values: ['1', '2'], differs: true }])).toBe(false);
});

test('a path has a name', () => {
  expect(fileName('/pictures/2026/fox.png')).toBe('fox.png');
  expect(fileName('fox.png')).toBe('fox.png');
});
