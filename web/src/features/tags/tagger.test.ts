// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import offered from '../../../../tests/wire/tags.json';
import wire from '../../../../tests/wire/tags_of.json';
import { answer, refusal, type Asked } from '../../api/answers';
import { connection } from '../../api/connection.svelte';
import { Selection } from '../../lib/selection';
import { toasts } from '../../ui/toasts.svelte';
import type { Picked } from '../edits/edits';
import { Tagger } from './tagger.svelte';

const PICKED: Picked = { snapshot: 'v1', ranges: [[0, 3]], except: [] };
const FOX = { ...wire.tags[0], name: 'fox' };
const VIXEN = { ...offered.tags[0], name: 'vixen', alias_of: 'fox', implies: ['animal'] } as Parameters<Tagger['add']>[1];
let asked: Asked[] = [];

function serve(changed: number, more: Parameters<typeof answer>[0] = {}): Tagger {
  asked = answer({
    '/api/v1/tags:count': { images: 3, total: 2, tags: [{ ...FOX, images: 3 }, { ...FOX, id: 99, name: 'snow', images: 1 }] },
    '/api/v1/tags/completions': { tags: VIXEN ? [VIXEN] : [] },
    '/api/v1/edits': { operation: 1, changed, total: 3, state: 'done', error: null },
    ...more,
  });
  return new Tagger(new Selection().withRange(0, 2), PICKED);
}

const edits = (): unknown[] => asked.filter(({ path }) => path === '/api/v1/edits').map(({ body }) => body['set']);

beforeEach(() => {
  toasts.list = [];
  connection.up = true;
});
afterEach(() => void vi.unstubAllGlobals());

test('tags of all images stand apart from those of some', async () => {
  const tagger = serve(0);
  await tagger.load();
  expect([tagger.onAll.map(({ name }) => name), tagger.onSome.map(({ name }) => name)]).toEqual([['fox'], ['snow']]);
});

test('a tag is added, and it is said to how many', async () => {
  const tagger = serve(2, { '/api/v1/tags/completions': { tags: [] } });
  await tagger.add('owl', undefined);
  expect(edits()).toEqual([{ tags: { add: ['owl'] } }]);
  expect([tagger.outcome, toasts.list[0]?.text]).toEqual(['“owl” added to 2 images.', '“owl” added to 2 images']);
});

test('another name says which tag it is, and what that implies', async () => {
  const tagger = serve(1);
  await tagger.add('vixen', VIXEN);
  expect(tagger.outcome).toBe('“vixen” is an alias of “fox”. “fox” added to 1 image. It implies animal.');
});

test('a name that was typed out is looked up, however it is written', async () => {
  const tagger = serve(1);
  await tagger.add('VIXEN', undefined);
  expect(tagger.outcome).toContain('“vixen” is an alias of “fox”.');
});

test('what changes nothing says so, and leaves no toast', async () => {
  const tagger = serve(0, { '/api/v1/tags/completions': { tags: [] } });
  await tagger.add('fox', undefined);
  expect(tagger.outcome).toBe('All of these images already have “fox”.');
  await tagger.remove('owl');
  expect([tagger.outcome, toasts.list]).toEqual(['None of these images has “owl”.', []]);
});

test('a refusal is said in the dialog, not by a toast', async () => {
  const tagger = serve(0, { '/api/v1/edits': refusal(400, 'A tag has a name.') });
  await tagger.remove('fox');
  expect([tagger.problem, tagger.outcome, toasts.list]).toEqual(['A tag has a name.', '', []]);
});

test('tags that cannot be read are a problem that is said', async () => {
  const tagger = serve(0, { '/api/v1/tags:count': refusal(410, 'The view is gone.') });
  await tagger.load();
  expect(tagger.problem).toBe('The view is gone.');
});
