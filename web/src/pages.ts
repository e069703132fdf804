/** The pages of the gallery. Another one is another entry here: its place in the rail, its address, its screen. */

import Activity from '@lucide/svelte/icons/activity';
import CopyCheck from '@lucide/svelte/icons/copy-check';
import Settings2 from '@lucide/svelte/icons/settings';
import Boxes from '@lucide/svelte/icons/boxes';
import GitBranch from '@lucide/svelte/icons/git-branch';
import ChartColumn from '@lucide/svelte/icons/chart-column';
import Heart from '@lucide/svelte/icons/heart';
import Images from '@lucide/svelte/icons/images';
import type { Component } from 'svelte';

import Duplicates from './duplicates/Duplicates.svelte';
import Gallery from './gallery/Gallery.svelte';
import Jobs from './jobs/Jobs.svelte';
import LineagePage from './lineage/Lineage.svelte';
import Models from './models/Models.svelte';
import Settings from './settings/Settings.svelte';
import Stats from './stats/Stats.svelte';

export interface PageEntry {
  label: string;
  icon: Component<{ 'aria-hidden'?: 'true' }>;
  path: `/${string}`;
  /** For a page that is the library with a query of its own. */
  query?: string;
  screen: Component;
  /** In the rail's lower group, where settings are. */
  low?: boolean;
}

export const PAGES: readonly PageEntry[] = [
  { label: 'Library', icon: Images, path: '/library', screen: Gallery },
  { label: 'Favourites', icon: Heart, path: '/library', query: 'is:favourite', screen: Gallery },
  { label: 'Models', icon: Boxes, path: '/models', screen: Models },
  { label: 'Lineage', icon: GitBranch, path: '/lineage', screen: LineagePage },
  { label: 'Statistics', icon: ChartColumn, path: '/stats', screen: Stats },
  { label: 'Duplicates', icon: CopyCheck, path: '/duplicates', screen: Duplicates },
  { label: 'Jobs', icon: Activity, path: '/jobs', screen: Jobs },
  { label: 'Settings', icon: Settings2, path: '/settings', screen: Settings, low: true },
];

/** The entry that an address stands for: of those with its path the one with its query; else the first. */
export function pageOf(path: string, query: string): PageEntry {
  const here = PAGES.filter((page) => page.path === path);
  const found = here.find((page) => (page.query ?? '') === query) ?? here.find((page) => !page.query) ?? PAGES[0];
  if (!found) throw new Error('There are no pages.');
  return found;
}
