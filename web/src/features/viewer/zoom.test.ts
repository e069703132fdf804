import { expect, test } from 'vitest';

import { Zoom } from './zoom.svelte';

test('what is under the pointer stays under it', () => {
  const zoom = new Zoom();
  const pictureAt = (x: number): number => (x - zoom.x) / zoom.factor;
  const before = pictureAt(120);
  zoom.scale(2, 120, -40);
  expect(pictureAt(120)).toBeCloseTo(before);
  zoom.scale(1.7, 120, -40);
  expect(pictureAt(120)).toBeCloseTo(before);
});

test('it ends at the whole image and at sixteen times', () => {
  const zoom = new Zoom();
  for (let step = 0; step < 50; step++) zoom.scale(1.5, 10, 10);
  expect(zoom.factor).toBe(16);
  for (let step = 0; step < 50; step++) zoom.scale(0.5, 10, 10);
  expect([zoom.factor, zoom.x, zoom.y]).toEqual([1, 0, 0]);
});

test('the key goes to the own pixels and back', () => {
  const zoom = new Zoom();
  zoom.actual = 3.2;
  zoom.toggle();
  expect(zoom.factor).toBe(3.2);
  zoom.move(5, 6);
  zoom.toggle();
  expect([zoom.factor, zoom.x, zoom.y]).toEqual([1, 0, 0]);
  zoom.actual = 0.4;
  zoom.toggle();
  expect(zoom.factor).toBeGreaterThan(1);
});

test('a whole image is not moved about', () => {
  const zoom = new Zoom();
  zoom.move(50, 50);
  expect([zoom.x, zoom.y]).toEqual([0, 0]);
});
