/** Checks the gallery's types against the server's answers: `tests/wire/*.json`, written by tests/wire/test_wire.py. */

import { expect, test } from 'vitest';

import autotag from '../../../tests/wire/autotag.json';
import autotagRun from '../../../tests/wire/autotag_run.json';
import backups from '../../../tests/wire/backups.json';
import bulk from '../../../tests/wire/bulk.json';
import collectionMade from '../../../tests/wire/collection_made.json';
import collections from '../../../tests/wire/collections.json';
import complete from '../../../tests/wire/complete.json';
import detail from '../../../tests/wire/detail.json';
import bare from '../../../tests/wire/detail_bare.json';
import duplicates from '../../../tests/wire/duplicates.json';
import error from '../../../tests/wire/error.json';
import events from '../../../tests/wire/events.json';
import expanded from '../../../tests/wire/expanded.json';
import facets from '../../../tests/wire/facets.json';
import facetsOfAll from '../../../tests/wire/facets_all.json';
import folders from '../../../tests/wire/folders.json';
import highlights from '../../../tests/wire/highlights.json';
import imageTags from '../../../tests/wire/image_tags.json';
import hooks from '../../../tests/wire/hooks.json';
import imported from '../../../tests/wire/import.json';
import items from '../../../tests/wire/items.json';
import jobs from '../../../tests/wire/jobs.json';
import lineage from '../../../tests/wire/lineage.json';
import eventLog from '../../../tests/wire/log.json';
import logKinds from '../../../tests/wire/log_kinds.json';
import madeWith from '../../../tests/wire/made_with.json';
import missing from '../../../tests/wire/missing.json';
import model from '../../../tests/wire/model.json';
import modelScan from '../../../tests/wire/model_scan.json';
import models from '../../../tests/wire/models.json';
import newer from '../../../tests/wire/newer.json';
import operations from '../../../tests/wire/operations.json';
import position from '../../../tests/wire/position.json';
import purge from '../../../tests/wire/purge.json';
import query from '../../../tests/wire/query.json';
import raw from '../../../tests/wire/raw.json';
import stats from '../../../tests/wire/stats.json';
import status from '../../../tests/wire/status.json';
import suggestions from '../../../tests/wire/suggestions.json';
import tag from '../../../tests/wire/tag.json';
import tagCategories from '../../../tests/wire/tag_categories.json';
import tagTrial from '../../../tests/wire/tag_trial.json';
import tags from '../../../tests/wire/tags.json';
import tagsOf from '../../../tests/wire/tags_of.json';
import tagsPart from '../../../tests/wire/tags_part.json';
import templates from '../../../tests/wire/templates.json';
import trash from '../../../tests/wire/trash.json';
import tried from '../../../tests/wire/tried.json';
import undo from '../../../tests/wire/undo.json';
import untracked from '../../../tests/wire/untracked.json';
import type { AutotagRun, AutotagState } from './autotag';
import type { BackupList } from './backups';
import type { Completion, Detail, EditResult, Facet, Highlights, JobList, Page, Problem, RawEntry, Snapshot, Statistics, Status, Suggestion } from './client';
import type { Collection } from './collections';
import type { DuplicatePage } from './duplicates';
import type { Operation, Purge } from './edits';
import type { LogPage } from './events';
import type { FolderList, LostFiles, Scan, UntrackedFile } from './folders';
import type { HookList } from './hooks';
import type { Lineage } from './lineage';
import type { ServerEvents } from './live';
import type { MadeWith, ModelDetail, ModelList, ModelScan } from './models';
import type { ImageTags, OfferedTag, SharedTags, TagCategories, TagDetail, TagPart, BulkPreview } from './tags';
import type { Expanded, TemplateList, Tried } from './templates';
import type { TrashFacts } from './trash';

/** A type as an import of JSON can satisfy it: where a type lists literals, JSON has any string. */
type Wide<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T extends readonly (infer Member)[]
        ? Wide<Member>[]
        : T extends object
          ? { [Name in keyof T]: Wide<T[Name]> }
          : T;

// svelte-check fails here when the server no longer sends what a type promises.
const HELD = {
  autotag: autotag satisfies Wide<AutotagState>,
  autotag_run: autotagRun satisfies Wide<AutotagRun>,
  backups: backups satisfies Wide<BackupList>,
  import: imported satisfies Wide<Scan>,
  log: eventLog satisfies { events: Wide<Omit<LogPage['events'][number], 'data'>>[]; next: number | null },
  log_kinds: logKinds satisfies { kinds: Record<string, number> },
  missing: missing satisfies Wide<LostFiles>,
  folders: folders satisfies Wide<FolderList>,
  untracked: untracked satisfies { files: Wide<UntrackedFile>[] },
  bulk: bulk satisfies Wide<EditResult>,
  complete: complete satisfies Wide<Completion>,
  detail: detail satisfies Wide<Detail>,
  detail_bare: bare satisfies Wide<Detail>,
  duplicates: duplicates satisfies Wide<DuplicatePage>,
  error: error satisfies Wide<Problem>,
  events: events satisfies Wide<Omit<ServerEvents, 'reset' | 'image.removed' | 'stale' | 'trouble'>>,
  facets: facets satisfies { values: Wide<Facet>[] },
  facets_all: facetsOfAll satisfies { facets: Record<string, Wide<Facet>[]> },
  hooks: hooks satisfies Wide<HookList>,
  highlights: highlights satisfies Wide<Highlights>,
  items: items satisfies Wide<Page>,
  jobs: jobs satisfies Wide<JobList>,
  lineage: lineage satisfies Wide<Lineage>,
  made_with: madeWith satisfies Wide<MadeWith>,
  model: model satisfies Wide<ModelDetail>,
  model_scan: modelScan satisfies Wide<ModelScan>,
  models: models satisfies Wide<ModelList>,
  newer: newer satisfies { count: number },
  // Pairs and free-form settings are lists and records of any type in JSON.
  operations: operations satisfies { operations: Wide<Omit<Operation, 'steps'>>[] },
  purge: purge satisfies Wide<Omit<Purge, 'kept'>>,
  templates: templates satisfies Wide<TemplateList>,
  trash: trash satisfies Wide<TrashFacts>,
  tried: tried satisfies Wide<Tried>,
  expanded: expanded satisfies Wide<Expanded>,
  position: position satisfies { index: number | null },
  query: query satisfies Wide<Snapshot>,
  raw: raw satisfies { entries: Wide<RawEntry>[] },
  stats: stats satisfies Wide<Statistics>,
  status: status satisfies Wide<Status>,
  suggestions: suggestions satisfies { folders: Wide<Suggestion>[] },
  collection_made: collectionMade satisfies Wide<EditResult & { uuid: string }>,
  collections: collections satisfies { collections: Wide<Collection>[] },
  image_tags: imageTags satisfies Wide<ImageTags>,
  tag: tag satisfies Wide<TagDetail>,
  tag_categories: tagCategories satisfies Wide<TagCategories>,
  tag_trial: tagTrial satisfies Wide<BulkPreview>,
  tags: tags satisfies { tags: Wide<OfferedTag>[] },
  tags_of: tagsOf satisfies Wide<SharedTags>,
  tags_part: tagsPart satisfies Wide<TagPart>,
  undo: undo satisfies Wide<EditResult>,
};

/** Only used by the command line. */
const NOT_ASKED = ['job', 'jobs_list', 'verify', 'verify_findings'];

test('every example of the server is held to a type', () => {
  const files = Object.keys(import.meta.glob('../../../tests/wire/*.json'));
  const names = files.map((path) => path.replace(/^.*\/|\.json$/g, ''));
  expect(names.sort()).toEqual([...Object.keys(HELD), ...NOT_ASKED].sort());
});

test('no source says any', () => {
  const sources = import.meta.glob<string>('../**/*.{ts,svelte}', { query: '?raw', import: 'default', eager: true });
  const loose = Object.entries(sources).filter(([, text]) => /(:|\bas|<|\|) *any\b *[;,)>=\]|]/.test(text));
  expect(Object.keys(sources).length).toBeGreaterThan(20);
  expect(loose.map(([path]) => path)).toEqual([]);
});
