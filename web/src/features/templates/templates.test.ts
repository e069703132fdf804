// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import done from '../../../../tests/wire/bulk.json';
import wire from '../../../../tests/wire/templates.json';
import { answer, refusal } from '../../api/answers';
import { connection } from '../../api/connection.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { templates } from './templates.svelte';

const messages = (): string[] => toasts.list.map(({ text }) => text);

beforeEach(() => {
  toasts.list = [];
  connection.up = true;
});
afterEach(() => void vi.unstubAllGlobals());

test('templates and wildcards are listed, each category once', async () => {
  const [one] = wire.templates;
  answer({ '/api/v1/templates': { ...wire, templates: [{ ...one, category: 'b' }, { ...one, category: null }, { ...one, category: 'a' }, { ...one, category: 'b' }] } });
  await templates.load();
  expect([templates.list.length, templates.categories, templates.wildcards.length]).toEqual([4, ['a', 'b'], wire.wildcards.length]);
});

test('one that is made has its uuid, a toast and a way back', async () => {
  answer({ '/api/v1/templates': ({ body }) => ('name' in body ? { ...done, uuid: 'new' } : wire) });
  expect(await templates.create({ name: 'Portrait', content: 'a {subject}' })).toBe('new');
  expect([messages(), toasts.list[0]?.undo !== undefined]).toEqual([['Template “Portrait” saved.'], true]);
});

test('what is refused is said, and not done', async () => {
  answer({ '/api/v1/templates': refusal(409, 'There is a template of this name.') });
  expect(await templates.create({ name: 'Portrait' })).toBeUndefined();
  expect(await templates.change('x', { name: 'Portrait' })).toBe(false);
  expect(messages()).toEqual(['There is a template of this name.', 'There is a template of this name.']);
});

test('nothing is asked of a server that does not answer', async () => {
  const asked = answer({});
  connection.up = false;
  expect(await templates.setWildcard('color', 'red')).toBe(false);
  expect(asked).toEqual([]);
});

test.each([
  ['red\nblue', 'Wildcard “color” saved.'],
  [null, 'Wildcard “color” deleted.'],
])('a wildcard whose content is %j: %s', async (content, text) => {
  const asked = answer({ '/api/v1/wildcards': done, '/api/v1/templates': wire });
  expect(await templates.setWildcard('color', content)).toBe(true);
  expect([asked[0]?.body, messages()]).toEqual([{ name: 'color', content }, [text]]);
});

test.each([
  [1, '1 style imported.'],
  [1_200, '1,200 styles imported.'],
])('of styles.csv %i are said: %s', async (changed, text) => {
  answer({ '/api/v1/templates/styles': { ...done, changed }, '/api/v1/templates': wire });
  await templates.importStyles('name,prompt\nfox,a fox');
  expect(messages()).toEqual([text]);
});
