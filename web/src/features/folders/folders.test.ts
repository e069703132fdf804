// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import done from '../../../../tests/wire/bulk.json';
import scanned from '../../../../tests/wire/import.json';
import wire from '../../../../tests/wire/folders.json';
import status from '../../../../tests/wire/status.json';
import { answer, pathsOf, refusal, type Asked } from '../../api/answers';
import { formatCount } from '../../lib/format';
import { toasts } from '../../ui/toasts.svelte';
import { folders, withoutCliHint } from './folders.svelte';

const FOLDER = { ...wire.folders[0], id: 7, path: '/pictures', images: 4 } as (typeof folders.list)[number];
const OFFLINE = 'The drive is not there. If they are gone for good, say so: mysticanvas scan --accept /pictures';
const messages = (): string[] => toasts.list.map(({ text }) => text);
const base = { '/api/v1/folders': wire, '/api/v1/status': status };

beforeEach(() => void (toasts.list = []));
afterEach(() => void vi.unstubAllGlobals());

/** A scan that runs once, then ends with this report. */
function scanning(report: object): (asked: Asked) => object {
  let times = 0;
  return () => (times++ ? { ...scanned, report: { ...scanned.report, ...report } } : { progress: { ...scanned.progress, state: 'reading', seen: 40 }, report: null });
}

test('things are counted with their noun', () => {
  expect([formatCount(0, 'image'), formatCount(1, 'image'), formatCount(1_200, 'missing file')]).toEqual(['0 images', '1 image', '1,200 missing files']);
});

test('advice for the command line is not shown in the gallery', () => {
  expect([withoutCliHint(OFFLINE), withoutCliHint('The drive is not there.')]).toEqual(['The drive is not there.', 'The drive is not there.']);
});

test('a folder that is added is imported; one that cannot be says why', async () => {
  const asked = answer({ ...base, '/api/v1/imports': ({ body }) => ('paths' in body ? { id: 'one' } : scanned) });
  expect(await folders.add('/pictures')).toBe('');
  expect(asked[0]).toMatchObject({ path: '/api/v1/imports', body: { paths: ['/pictures'] } });
  answer({ ...base, '/api/v1/imports': refusal(400, 'There is no folder /nowhere.') });
  expect(await folders.add('/nowhere')).toBe('There is no folder /nowhere.');
});

test('a scan is followed to its end and said', async () => {
  const asked = answer({ ...base, '/api/v1/folders/7:scan': { id: 'one' }, '/api/v1/imports/one': scanning({ imported: 2, changed: 0, moved: 0, copies: 0, missing: 0, offline: [] }) });
  const run = folders.scan(FOLDER);
  expect(folders.scans.has(7)).toBe(true);
  await run;
  expect([messages(), folders.scans.has(7)]).toEqual([['Scanned: 2 new.'], false]);
  expect(asked[0]?.body).toEqual({ accept: false });
});

test('a folder that is away is said without the advice for the command line', async () => {
  answer({ ...base, '/api/v1/folders/7:scan': { id: 'one' }, '/api/v1/imports/one': scanning({ offline: [OFFLINE] }) });
  await folders.scan(FOLDER);
  expect(messages()).toEqual(['The drive is not there.']);
});

test('a preview changes nothing, and two scans of a folder are one', async () => {
  const asked = answer({ ...base, '/api/v1/folders/7:scan': { id: 'one' }, '/api/v1/imports/one': scanning({ imported: 9 }) });
  const [first, second] = [folders.previewScan(FOLDER), folders.previewScan(FOLDER)];
  expect([(await first)?.imported, await second]).toEqual([9, undefined]);
  expect(asked.filter(({ path }) => path.endsWith(':scan')).map(({ body }) => body)).toEqual([{ dry_run: true }]);
});

test('a scan that fails is said with its reason', async () => {
  answer({ ...base, '/api/v1/folders/7:scan': { id: 'one' }, '/api/v1/imports/one': { progress: { ...scanned.progress, state: 'failed', message: 'The disk is full.' }, report: scanned.report } });
  await folders.scan(FOLDER);
  expect([messages(), folders.scans.size]).toEqual([['The disk is full.'], 0]);
});

test('a folder is removed by its number, and its images are said to stay', async () => {
  const asked = answer({ ...base, '/api/v1/folders/7': null });
  await folders.remove(FOLDER);
  expect(messages()).toEqual(['Removed /pictures. Its images stay in the library.']);
  expect(pathsOf(asked, '/api/v1/status')).toEqual(['/api/v1/folders/7', '/api/v1/folders']);
});

test('forgetting missing files is said by what it did', async () => {
  answer({ ...base, '/api/v1/missing-files:forget': { copies: 2, edit: null } });
  await folders.forget({ files: [1, 2] });
  answer({ ...base, '/api/v1/missing-files:forget': { copies: 2, edit: { ...done, changed: 2 } } });
  await folders.forget({ folder: 7 });
  expect(messages()).toEqual(['Removed 2 missing files from the library. The images have other files.', '2 images moved to Trash.']);
  expect(toasts.list.map(({ undo }) => undo !== undefined)).toEqual([false, true]);
});

test('exclude patterns are saved, reported with undo, or refused with the reason', async () => {
  const edit = { ...done, changed: 3, state: 'done' };
  const asked = answer({ ...base, '/api/v1/folders/7/excludes': { edit, scan: 'one' }, '/api/v1/imports/one': scanned });
  expect(await folders.setExcludes(FOLDER, ['drafts/'], { hide: 3, show: 0 })).toBe('');
  expect(asked[0]).toMatchObject({ path: '/api/v1/folders/7/excludes', body: { patterns: ['drafts/'] } });
  expect([messages(), toasts.list[0]?.undo !== undefined]).toEqual([['3 images hidden.'], true]);
  answer({ ...base, '/api/v1/folders/7/excludes': refusal(400, '“!” is not an exclude pattern.') });
  expect(await folders.setExcludes(FOLDER, ['!'], { hide: 0, show: 0 })).toBe('“!” is not an exclude pattern.');
});

test('a file is located, or it is said why that is not it', async () => {
  answer({ ...base, '/api/v1/missing-files/3:locate': null });
  expect(await folders.locate(3, '/pictures/a.png')).toBe('');
  answer({ ...base, '/api/v1/missing-files/3:locate': refusal(409, 'That is another picture.') });
  expect(await folders.locate(3, '/pictures/b.png')).toBe('That is another picture.');
});
