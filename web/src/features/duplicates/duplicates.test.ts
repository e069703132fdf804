// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import done from '../../../../tests/wire/bulk.json';
import detail from '../../../../tests/wire/detail.json';
import { answer, refusal } from '../../api/answers';
import type { DuplicateImage } from '../../api/duplicates';
import { toasts } from '../../ui/toasts.svelte';
import { duplicates } from './duplicates.svelte';

function image(uuid: string, lost: string[] = []): DuplicateImage {
  const file = { thumb: null, width: 64, height: 64, bytes: 10, format: 'png', places: [`/p/${uuid}.png`] };
  return { uuid, ...file, rating: 0, favorite: false, timestamp: 1, reason: 'Oldest', copied: [], lost };
}

/** One group of three images per name. Keeping the first loses `lost`; the second is proposed, or none with `undecided`. */
function groups(names: string[], lost: string[] = [], undecided = false): Parameters<typeof answer>[0] {
  return {
    '/api/v1/duplicates': ({ params }) => {
      const name = names[Number(params.get('start'))];
      const images = [image(`${name}1`, lost), image(`${name}2`), image(`${name}3`)];
      const kept = undecided ? null : `${name}2`;
      return { total: names.length, images: names.length * 3, groups: name ? [{ bits: 3, size: 3, kept, images }] : [] };
    },
    '/api/v1/images/': ({ path }) => ({ ...detail, uuid: path.split('/').at(-1) }),
  };
}

beforeEach(() => void (toasts.list = []));
afterEach(() => void vi.unstubAllGlobals());

test('the image that the server proposes is kept, and what is known of each is read', async () => {
  answer(groups(['a', 'b']));
  await duplicates.show('picture', 0);
  expect([duplicates.total, duplicates.kept, duplicates.others.map(({ uuid }) => uuid)]).toEqual([2, 'a2', ['a1', 'a3']]);
  expect([...duplicates.details.keys()]).toEqual(['a1', 'a2', 'a3']);
});

test('past the last group comes the last one', async () => {
  answer(groups(['a', 'b']));
  await duplicates.show('picture', 9);
  expect([duplicates.at, duplicates.group?.images[0]?.uuid]).toEqual([1, 'b1']);
});

test('arrows choose the image beside, and stop at the ends', async () => {
  answer(groups(['a']));
  await duplicates.show('picture', 0);
  duplicates.choose(1);
  duplicates.choose(1);
  expect(duplicates.kept).toBe('a3');
  for (const _ of [1, 2, 3]) duplicates.choose(-1);
  expect(duplicates.kept).toBe('a1');
});

test('where nothing is proposed none is kept, and the arrows select one', async () => {
  const asked = answer(groups(['a'], [], true));
  await duplicates.show('picture', 0);
  expect([duplicates.kept, duplicates.lost]).toEqual([undefined, []]);
  await duplicates.mergeGroup();
  expect(asked.some(({ path }) => path.endsWith(':merge'))).toBe(false);
  duplicates.choose(-1);
  expect(duplicates.kept).toBe('a3');
  duplicates.kept = undefined;
  duplicates.choose(1);
  expect(duplicates.kept).toBe('a1');
});

test('what would be lost is told, and only a confirmed merge loses it', async () => {
  const names = ['a', 'b'];
  const asked = answer({ ...groups(names, ['The generation data of a2.png']), '/api/v1/duplicates:merge': () => (names.shift(), { ...done, changed: 2 }) });
  await duplicates.show('picture', 0);
  duplicates.choose(-1);
  expect(duplicates.lost).toEqual(['The generation data of a2.png']);
  await duplicates.mergeGroup();
  expect(asked.some(({ path }) => path.endsWith(':merge'))).toBe(false);
  await duplicates.mergeGroup(true);
  expect(asked.find(({ path }) => path.endsWith(':merge'))?.body).toEqual({ kept: 'a1', others: ['a2', 'a3'], accept_loss: true });
});

test('the others go at once, with a way back, and the next group comes', async () => {
  const names = ['a', 'b'];
  const asked = answer({ ...groups(names), '/api/v1/duplicates:merge': () => (names.shift(), { ...done, changed: 2 }) });
  await duplicates.show('picture', 0);
  await duplicates.mergeGroup();
  expect(asked.find(({ path }) => path.endsWith(':merge'))?.body).toEqual({ kept: 'a2', others: ['a1', 'a3'], accept_loss: false });
  expect(toasts.list.map(({ text, undo }) => [text, undo !== undefined])).toEqual([['Duplicates merged; 2 images moved to Trash', true]]);
  expect([duplicates.total, duplicates.kept, duplicates.busy]).toEqual([1, 'b2', false]);
});

test('of the same file nothing is trashed: it is one image', async () => {
  const asked = answer(groups(['a']));
  await duplicates.show('bytes', 0);
  await duplicates.mergeGroup();
  expect(asked.some(({ path }) => path.endsWith(':merge'))).toBe(false);
});

test('what is refused is said, and the group stays', async () => {
  answer({ ...groups(['a']), '/api/v1/duplicates:merge': refusal(409, 'One of them is protected.') });
  await duplicates.show('picture', 0);
  await duplicates.mergeGroup();
  expect([toasts.list[0]?.text, duplicates.kept, duplicates.busy]).toEqual(['One of them is protected.', 'a2', false]);
});

test('an earlier question that is answered late changes nothing', async () => {
  let late: ((answer: object) => void) | undefined;
  answer({ ...groups(['a', 'b']), '/api/v1/duplicates': (asked) => (asked.params.get('start') === '0' ? new Promise<object>((done) => (late = done)) : (groups(['a', 'b'])['/api/v1/duplicates'] as (asked: unknown) => object)(asked)) });
  const slow = duplicates.show('picture', 0);
  await duplicates.show('picture', 1);
  late?.({ total: 2, images: 6, groups: [] });
  await slow;
  expect(duplicates.group?.images[0]?.uuid).toBe('b1');
});
