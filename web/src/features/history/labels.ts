/** Texts of the edits. */

import type { Operation } from '../../api/edits';
import { formatCount, formatNumber } from '../../lib/format';
import { SOURCE_NAMES } from '../tags/sources';

type Args = Record<string, unknown>;
/** Names of collections and templates by uuid. */
export type Names = ReadonlyMap<string, string>;
interface Edit {
  args: Args;
  /** “9 images”. */
  images: string;
  names: Names;
}

function quote(value: unknown): string {
  const names = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string' && one);
  const shown = names.slice(0, 4).map((one) => `“${String(one)}”`);
  return names.length > 4 ? `${shown.join(', ')} and ${names.length - 4} more` : shown.join(', ');
}

function nameOf(uuid: unknown, names: Names, kind: string): string {
  const name = names.get(String(uuid));
  return name ? `${kind} “${name}”` : `a ${kind}`;
}

function describeTags({ args, images }: Edit): string {
  const parts = [
    ['added tags', args['add']],
    ['removed tags', args['remove']],
    ['rejected tags', args['reject']],
  ].flatMap(([verb, names]) => (quote(names) ? [`${verb as string} ${quote(names)}`] : []));
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}: ${images}`;
}

function describeThreshold({ args }: Edit): string {
  const source = String(args['source']);
  const threshold = args['tag'] ? `confidence threshold of ${quote(args['tag'])}` : 'default confidence threshold';
  return `${args['value'] === null ? 'Removed' : 'Set'} the ${threshold} for ${SOURCE_NAMES[source] ?? source}`;
}

const KINDS: Record<string, (edit: Edit) => string> = {
  favorite: ({ args, images }) => `${args['value'] ? 'Added' : 'Removed'} ${images} ${args['value'] ? 'to' : 'from'} favorites`,
  rating: ({ args, images }) => (args['value'] ? `Rated ${images} ${'★'.repeat(Number(args['value']))}` : `Cleared the rating of ${images}`),
  notes: ({ args, images }) => `${args['value'] ? 'Edited the note of' : 'Cleared the note of'} ${images}`,
  'image.edit': ({ images }) => `Changed ${images}`,
  trash: ({ images }) => `Moved ${images} to Trash`,
  restore: ({ images }) => `Restored ${images} from Trash`,
  'folder.exclude': ({ args, images }) => `Changed the exclude patterns of ${quote(args['folder'])}: ${images} hidden or shown`,
  tag: describeTags,
  'tag.create': ({ args }) => `Created the tag ${quote(args['name'])}`,
  'tag.rename': ({ args }) => `Renamed the tag ${quote(args['tag'])} to ${quote(args['to'])}`,
  'tag.category': ({ args }) => `Set the category of ${quote(args['tags'])}`,
  'tag.threshold': describeThreshold,
  'tag.accept': ({ args }) => `Accepted the suggested tags ${quote(args['tags'])}`,
  'tag.refuse': ({ args }) => `Rejected the suggested tags ${quote(args['tags'])}`,
  'tag.propose': ({ args }) => `Restored the suggested tags ${quote(args['tags'])}`,
  'tag.alias': ({ args }) => `Made ${quote(args['tag'])} an alias of ${quote(args['of'])}`,
  'tag.unalias': ({ args }) => `Made the alias ${quote(args['tag'])} a separate tag`,
  'tag.imply': ({ args }) => `Added an implication: ${quote(args['tag'])} → ${quote(args['implies'])}`,
  'tag.unimply': ({ args }) => `Removed an implication: ${quote(args['tag'])} → ${quote(args['implies'])}`,
  'tag.merge': ({ args, images }) => `Merged the tag ${quote(args['tag'])} into ${quote(args['to'])} on ${images}`,
  'tag.split': ({ args, images }) => `Split the tag ${quote(args['tag'])} into ${quote(args['to'])} on ${images}`,
  'tag.retag': ({ args, images }) => `Replaced ${quote(args['tag'])} with ${quote(args['to'])} on ${images}`,
  'tag.delete': ({ args, images }) => `Deleted the tag ${quote(args['tag'])} from ${images}`,
  'collection.create': ({ args }) => `Created the ${args['query'] ? 'smart collection' : 'collection'} ${quote(args['name'])}`,
  'collection.edit': ({ args, names }) => `Changed ${nameOf(args['collection'], names, 'collection')}`,
  'collection.delete': ({ args, names }) => `Deleted ${nameOf(args['collection'], names, 'collection')}`,
  'collection.freeze': ({ args, names }) => `Converted ${nameOf(args['collection'], names, 'collection')} to manual`,
  collect: ({ args, images, names }) => `Added ${images} to ${nameOf(args['collection'], names, 'collection')}`,
  uncollect: ({ args, images, names }) => `Removed ${images} from ${nameOf(args['collection'], names, 'collection')}`,
  reorder: ({ args, images, names }) => `Moved ${images} within ${nameOf(args['collection'], names, 'collection')}`,
  merge_models: () => 'Merged two models',
  parent: ({ args }) => (args['parent'] ? 'Set the source of an image' : 'Removed the source of an image'),
  'template.create': ({ args }) => `Saved the template ${quote(args['name'])}`,
  'template.edit': ({ args, names }) => `Changed ${nameOf(args['template'], names, 'template')}`,
  'template.delete': ({ args, names }) => `Deleted ${nameOf(args['template'], names, 'template')}`,
  wildcard: ({ args }) => `${args['content'] === null ? 'Deleted' : 'Changed'} the wildcard ${quote(args['name'])}`,
};

/** A sentence without its full stop. An edit of an unknown kind is named by its kind. */
export function describeEdit(operation: Operation, names: Names = new Map()): string {
  if (operation.kind === 'template.import') return operation.steps_total === 1 ? 'Imported 1 style as a template' : `Imported ${formatNumber(operation.steps_total)} styles as templates`;
  const [kind, args] = operation.steps[0] ?? [operation.kind, {}];
  const say = KINDS[operation.kind === 'tag.script' ? kind : operation.kind];
  // A change of excludes always has two steps.
  const more = operation.steps_total > 1 && operation.kind !== 'folder.exclude' ? ` and ${formatNumber(operation.steps_total - 1)} more` : '';
  if (!say) return operation.kind.replace(/[._]/g, ' ') + more;
  return (operation.kind === 'tag.script' ? 'Bulk edit: ' : '') + say({ args, images: formatCount(operation.changed, 'image'), names }) + more;
}

/** Whether these edits refer to something by a uuid without a known name. */
export function needsNames(operations: readonly Operation[], key: 'collection' | 'template'): boolean {
  return operations.some(({ steps }) => steps.some(([, args]) => typeof args[key] === 'string'));
}
