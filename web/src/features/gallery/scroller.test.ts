import { flushSync, tick } from 'svelte';
import { expect, test, vi } from 'vitest';

import { BOX, Scroller } from './scroller.svelte';

const VIEW = 800;

/** A scroller with an element that scrolls like a browser: within its box. */
function made(total: number): { scroller: Scroller; element: { scrollTop: number } } {
  const scroller = new Scroller();
  const element = {
    at: 0,
    get scrollTop() {
      return this.at;
    },
    set scrollTop(top: number) {
      this.at = Math.max(0, Math.min(scroller.boxHeight - VIEW, top));
    },
  };
  scroller.attach(element as unknown as HTMLElement);
  scroller.height = VIEW;
  scroller.setTotal(total);
  return { scroller, element };
}

test('a short list is its own box', () => {
  const { scroller } = made(5_000);
  expect([scroller.boxHeight, scroller.offset, scroller.maximum]).toEqual([5_000, 0, 4_200]);
});

test('a long list is scrolled twenty million pixels without losing one', async () => {
  const { scroller, element } = made(50_000_000);
  let now = 0;
  for (let done = 0; done < 20_000_000; done += 4_000) {
    element.scrollTop += 4_000;
    scroller.onScroll((now += 16));
    await tick();
    expect(scroller.offset + element.scrollTop).toBe(scroller.y);
  }
  expect(scroller.y).toBe(20_000_000);
});

test('a jump goes anywhere, in whole pixels, and not past the end', async () => {
  const { scroller, element } = made(50_000_000);
  scroller.to(33_333_333.4);
  flushSync();
  await tick();
  expect([scroller.y, scroller.offset + element.scrollTop]).toEqual([33_333_333, 33_333_333]);
  scroller.to(1e12);
  await tick();
  expect(scroller.y).toBe(50_000_000 - VIEW);
  expect(scroller.offset).toBe(50_000_000 - BOX);
});

test('when it comes to rest the box is around the view, which has not moved', async () => {
  vi.useFakeTimers();
  const { scroller, element } = made(50_000_000);
  scroller.to(10_000_000);
  await tick();
  element.scrollTop = BOX - 100_000;
  scroller.onScroll(1_000);
  const { y } = scroller;
  // The scroll event arrives late, as when the page is busy.
  element.scrollTop += 50;
  vi.runAllTimers();
  vi.useRealTimers();
  await tick();
  expect(scroller.y).toBe(y + 50);
  expect(scroller.offset + element.scrollTop).toBe(y + 50);
  expect(Math.abs(element.scrollTop - BOX / 2)).toBeLessThan(2);
});

test('the position outlives the element, also when it has just been scrolled', () => {
  vi.useFakeTimers();
  const { scroller } = made(50_000_000);
  const element = { scrollTop: 9_000 };
  const detach = scroller.attach(element as unknown as HTMLElement);
  scroller.onScroll(1_000);
  detach();
  element.scrollTop = 0;
  vi.runAllTimers();
  vi.useRealTimers();
  expect(scroller.y).toBe(9_000);
});

test('how fast it goes is known, and forgotten after a jump', () => {
  const { scroller, element } = made(5_000_000);
  scroller.onScroll(100);
  element.scrollTop = 1_600;
  scroller.onScroll(200);
  expect(scroller.velocity).toBe(16_000);
  scroller.to(0);
  expect(scroller.velocity).toBe(0);
});

test('what is far outside of the box is only just outside', () => {
  const { scroller } = made(50_000_000);
  scroller.to(40_000_000);
  expect(scroller.inBox(0)).toBeGreaterThan(-20_000);
  expect(scroller.inBox(0)).toBeLessThan(0);
  expect(scroller.inBox(40_000_000)).toBe(BOX / 2);
});

test('a list that became shorter is not scrolled past its end', () => {
  const { scroller } = made(50_000_000);
  scroller.to(49_000_000);
  scroller.setTotal(1_000);
  expect(scroller.offset).toBe(0);
});
