/** What a deed was, in words. */

import type { Operation } from '../api/deeds';
import { grouped } from '../lib/words';

type Args = Record<string, unknown>;
/** Names of what a deed knows by its uuid: collections and templates. */
export type Names = ReadonlyMap<string, string>;
interface Deed {
  args: Args;
  /** “9 images”. */
  images: string;
  names: Names;
}

export function counted(count: number): string {
  return count === 1 ? '1 image' : `${grouped(count)} images`;
}

function quoted(value: unknown): string {
  const said = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string' && one);
  const shown = said.slice(0, 4).map((one) => `“${String(one)}”`);
  return said.length > 4 ? `${shown.join(', ')} and ${said.length - 4} more` : shown.join(', ');
}

function named(uuid: unknown, names: Names, kind: string): string {
  const name = names.get(String(uuid));
  return name ? `${kind} “${name}”` : `a ${kind}`;
}

function tagged({ args, images }: Deed): string {
  const parts = [
    ['Tagged with', args['add']],
    ['Took away', args['remove']],
    ['Said no to', args['reject']],
  ].flatMap(([verb, names]) => (quoted(names) ? [`${verb as string} ${quoted(names)}`] : []));
  return `${parts.join('; ')} on ${images}`;
}

const KINDS: Record<string, (deed: Deed) => string> = {
  favorite: ({ args, images }) => `${args['value'] ? 'Added' : 'Removed'} ${images} ${args['value'] ? 'to' : 'from'} favourites`,
  rating: ({ args, images }) => (args['value'] ? `Rated ${images} ${'★'.repeat(Number(args['value']))}` : `Cleared the rating of ${images}`),
  notes: ({ args, images }) => `${args['value'] ? 'Wrote a note on' : 'Cleared the note of'} ${images}`,
  trash: ({ images }) => `Moved ${images} to the Trash`,
  restore: ({ images }) => `Restored ${images} from the Trash`,
  tag: tagged,
  'tag.create': ({ args }) => `Made the tag ${quoted(args['name'])}`,
  'tag.rename': ({ args }) => `Renamed the tag ${quoted(args['tag'])} to ${quoted(args['to'])}`,
  'tag.category': ({ args }) => `Set the category of ${quoted(args['tags'])}`,
  'tag.threshold': ({ args }) => `Set from which confidence tags of ${String(args['source'])} show`,
  'tag.accept': ({ args }) => `Accepted the tags ${quoted(args['tags'])}`,
  'tag.refuse': ({ args }) => `Refused the tags ${quoted(args['tags'])}`,
  'tag.propose': ({ args }) => `Made ${quoted(args['tags'])} proposals again`,
  'tag.alias': ({ args }) => `Made ${quoted(args['tag'])} another name of ${quoted(args['of'])}`,
  'tag.unalias': ({ args }) => `Made ${quoted(args['tag'])} a tag of its own again`,
  'tag.imply': ({ args }) => `${quoted(args['tag'])} implies ${quoted(args['implies'])}`,
  'tag.unimply': ({ args }) => `${quoted(args['tag'])} implies ${quoted(args['implies'])} no more`,
  'tag.merge': ({ args, images }) => `Merged the tag ${quoted(args['tag'])} into ${quoted(args['to'])} on ${images}`,
  'tag.split': ({ args, images }) => `Split the tag ${quoted(args['tag'])} into ${quoted(args['to'])} on ${images}`,
  'tag.retag': ({ args, images }) => `Put ${quoted(args['to'])} in place of ${quoted(args['tag'])} on ${images}`,
  'tag.delete': ({ args, images }) => `Deleted the tag ${quoted(args['tag'])} of ${images}`,
  'collection.create': ({ args }) => `Made the ${args['query'] ? 'smart collection' : 'collection'} ${quoted(args['name'])}`,
  'collection.edit': ({ args, names }) => `Changed ${named(args['collection'], names, 'collection')}`,
  'collection.delete': ({ args, names }) => `Deleted ${named(args['collection'], names, 'collection')}`,
  'collection.freeze': ({ args, names }) => `Froze ${named(args['collection'], names, 'collection')}`,
  collect: ({ args, images, names }) => `Added ${images} to ${named(args['collection'], names, 'collection')}`,
  uncollect: ({ args, images, names }) => `Took ${images} out of ${named(args['collection'], names, 'collection')}`,
  reorder: ({ args, images, names }) => `Moved ${images} within ${named(args['collection'], names, 'collection')}`,
  merge_models: () => 'Merged two models',
  parent: ({ args }) => (args['parent'] ? 'Said which image it came from' : 'Said that it came from no other image'),
  'template.create': ({ args }) => `Kept the template ${quoted(args['name'])}`,
  'template.edit': ({ args, names }) => `Changed ${named(args['template'], names, 'template')}`,
  'template.delete': ({ args, names }) => `Deleted ${named(args['template'], names, 'template')}`,
  wildcard: ({ args }) => `${args['content'] === null ? 'Deleted' : 'Changed'} the wildcard ${quoted(args['name'])}`,
};

/** A sentence without its full stop. A deed of a kind that is not known here is named by its kind. */
export function described(operation: Operation, names: Names = new Map()): string {
  if (operation.kind === 'template.import') return `Imported ${grouped(operation.steps_total)} styles as templates`;
  const [kind, args] = operation.steps[0] ?? [operation.kind, {}];
  const say = KINDS[operation.kind === 'tag.script' ? kind : operation.kind];
  const more = operation.steps_total > 1 ? ` and ${grouped(operation.steps_total - 1)} more` : '';
  if (!say) return operation.kind.replace(/[._]/g, ' ') + more;
  return (operation.kind === 'tag.script' ? 'Script: ' : '') + say({ args, images: counted(operation.changed), names }) + more;
}

/** Whether some name in these deeds is known by a uuid alone. */
export function namesNeeded(operations: readonly Operation[], key: 'collection' | 'template'): boolean {
  return operations.some(({ steps }) => steps.some(([, args]) => typeof args[key] === 'string'));
}
