// @vitest-environment happy-dom
import { expect, test } from 'vitest';

import { isTyping, keyOf } from './shortcuts';

function pressed(key: string, held: Partial<KeyboardEventInit> = {}): KeyboardEvent {
  return new KeyboardEvent('keydown', { key, ...held });
}

test.each([
  ['f', {}, 'f'],
  ['P', { shiftKey: true }, 'P'],
  ['?', { shiftKey: true }, '?'],
  ['ArrowLeft', { shiftKey: true }, 'Shift+ArrowLeft'],
  ['a', { ctrlKey: true }, 'Ctrl+a'],
  ['A', { metaKey: true }, 'Ctrl+a'],
  ['Z', { ctrlKey: true, shiftKey: true }, 'Ctrl+Shift+z'],
])('%s with %o is %s in the table', (key, held, name) => {
  expect(keyOf(pressed(key, held))).toBe(name);
});

test.each([
  ['<input>', true],
  ['<input type="search">', true],
  ['<textarea></textarea>', true],
  ['<input type="range">', false],
  ['<input type="checkbox">', false],
  ['<input type="radio">', false],
  ['<button></button>', false],
])('in %s letters are letters: %s', (html, typing) => {
  document.body.innerHTML = html;
  let found: boolean | undefined;
  document.body.addEventListener('keydown', (event) => (found = isTyping(event)), { once: true });
  document.body.firstElementChild?.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', bubbles: true }));
  expect(found).toBe(typing);
});
