import { afterEach, expect, test, vi } from 'vitest';

import complete from '../../../../tests/wire/complete.json';
import { answer } from '../../api/answers';
import { Autocomplete } from './autocomplete.svelte';

afterEach(() => void vi.unstubAllGlobals());
const [OFFER] = complete.offers;

test('what is typed is asked about with its filters, the cursor counted in characters', async () => {
  const asked = answer({ '/api/v1/completions': complete });
  await new Autocomplete().ask('🦊 mod', 6, '🦊 mod is:favourite');
  expect([asked[0]?.params.get('q'), asked[0]?.params.get('at')]).toEqual(['🦊 mod is:favourite', '5']);
});

test('an offer takes the place of what it completes, and the cursor stands after it', async () => {
  answer({ '/api/v1/completions': { ...complete, start: 4, end: 7 } });
  const box = new Autocomplete();
  await box.ask('fox mod snow', 7, 'fox mod snow');
  expect(OFFER && box.insert('fox mod snow', OFFER)).toEqual({ text: 'fox model:dreamer_v1 snow', at: 20 });
});

test('offers stay until the next come, but are not put into what they were not for', async () => {
  answer({ '/api/v1/completions': complete });
  const box = new Autocomplete();
  await box.ask('dreame', 6, 'dreame');
  expect([box.offers.length, box.takesFirst('dreame'), box.takesFirst('dreamer')]).toEqual([1, true, false]);
  expect(OFFER && box.insert('dreamer', OFFER)).toEqual({ text: 'dreamer', at: 7 });
});

test('what finds something as it is stays as it is when Enter is pressed', async () => {
  answer({ '/api/v1/completions': { ...complete, stands: true } });
  const box = new Autocomplete();
  await box.ask('dreame', 6, 'dreame');
  expect(box.takesFirst('dreame')).toBe(false);
});

test('a late answer to an earlier question is dropped', async () => {
  let first: ((answer: object) => void) | undefined;
  answer({ '/api/v1/completions': ({ params }) => (params.get('q') === 'a' ? new Promise<object>((done) => (first = done)) : { ...complete, offers: [] }) });
  const box = new Autocomplete();
  const slow = box.ask('a', 1, 'a');
  await box.ask('ab', 2, 'ab');
  first?.(complete);
  await slow;
  expect([box.offers, box.isFor('ab')]).toEqual([[], true]);
  box.drop();
  expect(box.isFor('ab')).toBe(false);
});
