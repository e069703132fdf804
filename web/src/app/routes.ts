/** The pages of the gallery. To add a page, add an entry: its place in the rail, its path and its component. */

import Activity from '@lucide/svelte/icons/activity';
import CopyCheck from '@lucide/svelte/icons/copy-check';
import Settings2 from '@lucide/svelte/icons/settings';
import Boxes from '@lucide/svelte/icons/boxes';
import FolderCog from '@lucide/svelte/icons/folder-cog';
import GitBranch from '@lucide/svelte/icons/git-branch';
import ChartColumn from '@lucide/svelte/icons/chart-column';
import HistoryIcon from '@lucide/svelte/icons/history';
import Heart from '@lucide/svelte/icons/heart';
import Images from '@lucide/svelte/icons/images';
import LibraryBig from '@lucide/svelte/icons/library-big';
import Tags from '@lucide/svelte/icons/tags';
import ScrollText from '@lucide/svelte/icons/scroll-text';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Component } from 'svelte';

import Backups from '../features/backups/Backups.svelte';
import Compare from '../features/compare/Compare.svelte';
import { COMPARE } from '../features/compare/comparison.svelte';
import Cull from '../features/cull/Cull.svelte';
import { CULL } from '../features/cull/session.svelte';
import Duplicates from '../features/duplicates/Duplicates.svelte';
import Events from '../features/events/Events.svelte';
import Folders from '../features/folders/Folders.svelte';
import Gallery from '../features/gallery/Gallery.svelte';
import { library } from '../features/gallery/library.svelte';
import { panels } from '../features/gallery/panels.svelte';
import { routing } from '../features/gallery/routing.svelte';
import History from '../features/history/History.svelte';
import Jobs from '../features/jobs/Jobs.svelte';
import LineagePage from '../features/lineage/Lineage.svelte';
import Models from '../features/models/Models.svelte';
import Settings from '../features/settings/Settings.svelte';
import Stats from '../features/stats/Stats.svelte';
import TagsPage from '../features/tags/Tags.svelte';
import Templates from '../features/templates/Templates.svelte';
import Trash from '../features/trash/Trash.svelte';

export interface PageEntry {
  label: string;
  icon: Component<{ 'aria-hidden'?: 'true' }>;
  path: `/${string}`;
  /** For a page that is the library with its own query. */
  query?: string;
  screen: Component;
  /** For an entry that opens a panel of the library instead of a page. */
  panel?: { open: () => boolean; press: () => void };
  /** For a page that is opened from another one; the rail highlights that one. */
  under?: string;
  /** In the lower group of the rail, with Settings. */
  low?: boolean;
}

export const PAGES: readonly PageEntry[] = [
  { label: 'Library', icon: Images, path: '/library', screen: Gallery },
  { label: 'Favorites', icon: Heart, path: '/library', query: 'is:favorite', screen: Gallery },
  { label: 'Collections', icon: LibraryBig, path: '/library', screen: Gallery, panel: { open: () => panels.collecting && routing.inLibrary, press: pressCollections } },
  { label: 'Tags', icon: Tags, path: '/tags', screen: TagsPage },
  { label: 'Models', icon: Boxes, path: '/models', screen: Models },
  { label: 'Lineage', icon: GitBranch, path: '/lineage', screen: LineagePage },
  { label: 'Statistics', icon: ChartColumn, path: '/stats', screen: Stats },
  { label: 'Duplicates', icon: CopyCheck, path: '/duplicates', screen: Duplicates },
  { label: 'Templates', icon: ScrollText, path: '/templates', screen: Templates },
  { label: 'Jobs', icon: Activity, path: '/jobs', screen: Jobs },
  { label: 'Folders', icon: FolderCog, path: '/folders', screen: Folders, low: true },
  { label: 'Events', icon: FolderCog, path: '/events', screen: Events, under: '/folders' },
  { label: 'Backups', icon: FolderCog, path: '/backups', screen: Backups, under: '/folders' },
  { label: 'History', icon: HistoryIcon, path: '/history', screen: History, low: true },
  { label: 'Trash', icon: Trash2, path: '/trash', screen: Trash, low: true },
  { label: 'Settings', icon: Settings2, path: '/settings', screen: Settings, low: true },
];

/** Shown next to the images; from another page it opens the library. */
function pressCollections(): void {
  if (routing.inLibrary || !panels.collecting) panels.toggleCollections();
  if (!routing.inLibrary) routing.to('/library', library.scope === 'library' ? library.query : '');
}
/** Full-window pages without the rail, opened from a list and left for that list. */
export const MODES: ReadonlyMap<string, Component> = new Map<string, Component>([
  [CULL, Cull],
  [COMPARE, Compare],
]);

/** The entry for an address: among those with its path the one with its query, else the first. */
export function pageOf(path: string, query: string): PageEntry {
  const here = PAGES.filter((page) => page.path === path && !page.panel);
  const found = here.find((page) => (page.query ?? '') === query) ?? here.find((page) => !page.query) ?? PAGES[0];
  if (!found) throw new Error('PAGES is empty.');
  return found;
}
