import { expect, test } from 'vitest';

import type { DuplicateImage } from '../../api/duplicates';
import { closeness, fileName, rows } from './differences';

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
  reason: null,
  copied: [],
  lost: [],
  ...known,
});

test('rows say in what the images differ, and leave out what none of them has', () => {
  const found = rows([image('a'), image('b', { bytes: 2_000_000 })], new Map());
  expect(found.filter((row) => row.differs).map((row) => row.name)).toEqual(['File', 'Name']);
  expect(found.find((row) => row.name === 'Size')).toEqual({ name: 'Size', values: ['512 × 768', '512 × 768'], differs: false });
  expect(found.map((row) => row.name)).not.toContain('Prompt');
});

test('the closeness of pictures is told in words', () => {
  expect([0, 4, 40].map(closeness)).toEqual(['Visually identical images', 'Nearly identical images (4 of 256 hash bits differ)', 'Similar images (40 of 256 hash bits differ)']);
});

test('a path has a name', () => {
  expect(fileName('/pictures/2026/fox.png')).toBe('fox.png');
  expect(fileName('fox.png')).toBe('fox.png');
});
