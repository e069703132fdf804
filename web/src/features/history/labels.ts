/** What an edit was, in words. */

import type { Operation } from '../../api/edits';
import { formatNumber } from '../../lib/format';

type Args = Record<string, unknown>;
/** Names of what an edit knows by its uuid: collections and templates. */
export type Names = ReadonlyMap<string, string>;
interface Edit {
  args: Args;
  /** “9 images”. */
  images: string;
  names: Names;
}

export function formatImages(count: number): string {
  return count === 1 ? '1 image' : `${formatNumber(count)} images`;
}

function quote(value: unknown): string {
  const said = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string' && one);
  const shown = said.slice(0, 4).map((one) => `“${String(one)}”`);
  return said.length > 4 ? `${shown.join(', ')} and ${said.length - 4} more` : shown.join(', ');
}

function nameOf(uuid: unknown, names: Names, kind: string): string {
  const name = names.get(String(uuid));
  return name ? `${kind} “${name}”` : `a ${kind}`;
}

function describeTags({ args, images }: Edit): string {
  const parts = [
    ['Tagged with', args['add']],
    ['Took away', args['remove']],
    ['Said no to', args['reject']],
  ].flatMap(([verb, names]) => (quote(names) ? [`${verb as string} ${quote(names)}`] : []));
  return `${parts.join('; ')} on ${images}`;
}

const KINDS: Record<string, (edit: Edit) => string> = {
  favorite: ({ args, images }) => `${args['value'] ? 'Added' : 'Removed'} ${images} ${args['value'] ? 'to' : 'from'} favourites`,
  rating: ({ args, images }) => (args['value'] ? `Rated ${images} ${'★'.repeat(Number(args['value']))}` : `Cleared the rating of ${images}`),
  notes: ({ args, images }) => `${args['value'] ? 'Wrote a note on' : 'Cleared the note of'} ${images}`,
  trash: ({ images }) => `Moved ${images} to the Trash`,
  restore: ({ images }) => `Restored ${images} from the Trash`,
  tag: describeTags,
  'tag.create': ({ args }) => `Made the tag ${quote(args['name'])}`,
  'tag.rename': ({ args }) => `Renamed the tag ${quote(args['tag'])} to ${quote(args['to'])}`,
  'tag.category': ({ args }) => `Set the category of ${quote(args['tags'])}`,
  'tag.threshold': ({ args }) => `Set from which confidence tags of ${String(args['source'])} show`,
  'tag.accept': ({ args }) => `Accepted the tags ${quote(args['tags'])}`,
  'tag.refuse': ({ args }) => `Refused the tags ${quote(args['tags'])}`,
  'tag.propose': ({ args }) => `Made ${quote(args['tags'])} proposals again`,
  'tag.alias': ({ args }) => `Made ${quote(args['tag'])} another name of ${quote(args['of'])}`,
  'tag.unalias': ({ args }) => `Made ${quote(args['tag'])} a tag of its own again`,
  'tag.imply': ({ args }) => `${quote(args['tag'])} implies ${quote(args['implies'])}`,
  'tag.unimply': ({ args }) => `${quote(args['tag'])} implies ${quote(args['implies'])} no more`,
  'tag.merge': ({ args, images }) => `Merged the tag ${quote(args['tag'])} into ${quote(args['to'])} on ${images}`,
  'tag.split': ({ args, images }) => `Split the tag ${quote(args['tag'])} into ${quote(args['to'])} on ${images}`,
  'tag.retag': ({ args, images }) => `Put ${quote(args['to'])} in place of ${quote(args['tag'])} on ${images}`,
  'tag.delete': ({ args, images }) => `Deleted the tag ${quote(args['tag'])} of ${images}`,
  'collection.create': ({ args }) => `Made the ${args['query'] ? 'smart collection' : 'collection'} ${quote(args['name'])}`,
  'collection.edit': ({ args, names }) => `Changed ${nameOf(args['collection'], names, 'collection')}`,
  'collection.delete': ({ args, names }) => `Deleted ${nameOf(args['collection'], names, 'collection')}`,
  'collection.freeze': ({ args, names }) => `Froze ${nameOf(args['collection'], names, 'collection')}`,
  collect: ({ args, images, names }) => `Added ${images} to ${nameOf(args['collection'], names, 'collection')}`,
  uncollect: ({ args, images, names }) => `Took ${images} out of ${nameOf(args['collection'], names, 'collection')}`,
  reorder: ({ args, images, names }) => `Moved ${images} within ${nameOf(args['collection'], names, 'collection')}`,
  merge_models: () => 'Merged two models',
  parent: ({ args }) => (args['parent'] ? 'Said which image it came from' : 'Said that it came from no other image'),
  'template.create': ({ args }) => `Kept the template ${quote(args['name'])}`,
  'template.edit': ({ args, names }) => `Changed ${nameOf(args['template'], names, 'template')}`,
  'template.delete': ({ args, names }) => `Deleted ${nameOf(args['template'], names, 'template')}`,
  wildcard: ({ args }) => `${args['content'] === null ? 'Deleted' : 'Changed'} the wildcard ${quote(args['name'])}`,
};

/** A sentence without its full stop. An edit of a kind that is not known here is named by its kind. */
export function describeEdit(operation: Operation, names: Names = new Map()): string {
  if (operation.kind === 'template.import') return `Imported ${formatNumber(operation.steps_total)} styles as templates`;
  const [kind, args] = operation.steps[0] ?? [operation.kind, {}];
  const say = KINDS[operation.kind === 'tag.script' ? kind : operation.kind];
  const more = operation.steps_total > 1 ? ` and ${formatNumber(operation.steps_total - 1)} more` : '';
  if (!say) return operation.kind.replace(/[._]/g, ' ') + more;
  return (operation.kind === 'tag.script' ? 'Script: ' : '') + say({ args, images: formatImages(operation.changed), names }) + more;
}

/** Whether some name in these edits is known by a uuid alone. */
export function needsNames(operations: readonly Operation[], key: 'collection' | 'template'): boolean {
  return operations.some(({ steps }) => steps.some(([, args]) => typeof args[key] === 'string'));
}
