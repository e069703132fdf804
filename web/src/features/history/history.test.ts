// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { answer, refusal, type Asked } from '../../api/answers';
import type { Operation } from '../../api/edits';
import { past } from './history.svelte';

const DAY_MS = 86_400_000;
const NOON = new Date(2026, 6, 20, 12).getTime();
const rest = { '/api/v1/status': {}, '/api/v1/snapshots': refusal(400, 'No view.'), '/api/v1/collections': { collections: [] }, '/api/v1/templates': { templates: [] } };

function operation(number: number, more: Partial<Operation> = {}): Operation {
  return { operation: number, at: NOON - (100 - number) * (DAY_MS / 4), kind: 'rating', steps: [['rating', { value: 3 }]], steps_total: 1, images: [], changed: 1, total: 1, state: 'done', error: null, ...more };
}

/** The server has edits with the numbers from 1 up to `last`. */
function served(last: number): (asked: Asked) => object {
  return ({ params }) => {
    const from = Number(params.get('before') ?? last + 1) - 1;
    return { operations: Array.from({ length: Math.min(Number(params.get('limit')), from) }, (_, at) => operation(from - at)) };
  };
}

beforeEach(() => {
  past.list = [];
  past.refused = past.names = new Map();
});
afterEach(() => void vi.unstubAllGlobals());

test('edits are shown by the day, newest first, older ones when asked for', async () => {
  answer({ ...rest, '/api/v1/edits': served(60) });
  await past.refresh();
  expect([past.list.length, past.list[0]?.operation, past.complete]).toEqual([50, 60, false]);
  expect(past.days.slice(0, 2).map(({ day, edits }) => [day, edits.length])).toEqual([
    ['2026-07-10', 3],
    ['2026-07-09', 4],
  ]);
  await past.more();
  expect([past.list.length, past.list.at(-1)?.operation, past.complete]).toEqual([60, 1, true]);
});

test('a new edit comes on top, and what one had looked at stays', async () => {
  answer({ ...rest, '/api/v1/edits': served(60) });
  await past.refresh();
  await past.more();
  answer({ ...rest, '/api/v1/edits': served(61) });
  await past.refresh();
  expect([past.list.length, past.list[0]?.operation, new Set(past.list.map((one) => one.operation)).size]).toEqual([61, 61, 61]);
});

test('an edit that is done is undone, one that is undone is redone', async () => {
  const asked = answer({ ...rest, '/api/v1/edits': served(3), '/api/v1/edits/3/undo': operation(3, { state: 'undone' }), '/api/v1/edits/2/redo': operation(4) });
  await past.move(operation(3));
  await past.move(operation(2, { state: 'undone' }));
  expect(asked.map(({ path }) => path).filter((path) => /undo|redo/.test(path))).toEqual(['/api/v1/edits/3/undo', '/api/v1/edits/2/redo']);
  expect([past.moving, past.refused.size]).toEqual([undefined, 0]);
});

test('why an undo was refused stays with its edit until it works', async () => {
  answer({ ...rest, '/api/v1/edits': served(3), '/api/v1/edits/3/undo': refusal(409, 'The tag is gone.') });
  await past.move(operation(3));
  expect(past.refused.get(3)).toBe('The tag is gone.');
  answer({ ...rest, '/api/v1/edits': served(3), '/api/v1/edits/3/undo': operation(3, { state: 'undone' }) });
  await past.move(operation(3));
  expect(past.refused.size).toBe(0);
});

test('collections are named by what they are called, and asked about only when an edit needs it', async () => {
  const collections = { collections: [{ uuid: 'c1', name: 'Foxes' }] };
  let asked = answer({ ...rest, '/api/v1/edits': { operations: [operation(1)] }, '/api/v1/collections': collections });
  await past.refresh();
  expect(asked.map(({ path }) => path)).toEqual(['/api/v1/edits']);
  asked = answer({ ...rest, '/api/v1/edits': { operations: [operation(2, { steps: [['collect', { collection: 'c1' }]] })] }, '/api/v1/collections': collections });
  await past.refresh();
  await vi.waitUntil(() => past.names.size > 0);
  expect(past.names.get('c1')).toBe('Foxes');
});

test('a history that cannot be read says why', async () => {
  answer({ ...rest, '/api/v1/edits': refusal(500, 'The history is away.') });
  await past.refresh();
  expect([past.problem, past.loaded]).toEqual(['The history is away.', true]);
});
