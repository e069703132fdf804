/** The actions on selected images. To add an action, add an entry. */

import ArchiveRestore from '@lucide/svelte/icons/archive-restore';
import Columns2 from '@lucide/svelte/icons/columns-2';
import GalleryThumbnails from '@lucide/svelte/icons/gallery-thumbnails';
import FolderMinus from '@lucide/svelte/icons/folder-minus';
import FolderPlus from '@lucide/svelte/icons/folder-plus';
import Heart from '@lucide/svelte/icons/heart';
import HeartOff from '@lucide/svelte/icons/heart-off';
import NotebookPen from '@lucide/svelte/icons/notebook-pen';
import Tag from '@lucide/svelte/icons/tag';
import Trash2 from '@lucide/svelte/icons/trash-2';
import type { Component } from 'svelte';

import { collections } from '../collections/collections.svelte';
import { removeFromCollection } from '../collections/order';
import { comparison } from '../compare/comparison.svelte';
import { cullSession } from '../cull/session.svelte';
import { deleteForever, mark, restore, trash } from './actions';
import { library, type Scope } from './library.svelte';
import { panels } from './panels.svelte';

export interface Action {
  label: string;
  icon: Component<{ size?: number; 'aria-hidden'?: 'true' }>;
  /** As the table of shortcuts shows it. */
  key?: string;
  danger?: boolean;
  /** Shown as an icon; the label is for screen readers only. */
  brief?: boolean;
  run: () => void;
  /** The only scope in which it is offered. */
  only?: Scope;
  /** The only case in which it is offered. */
  when?: () => boolean;
  /** The smallest and largest number of images it is offered for. */
  for?: readonly [fewest: number, most: number];
}

export const ACTIONS: readonly Action[] = [
  { label: 'Favorite', icon: Heart, key: 'f', brief: true, run: () => void mark({ favorite: true }) },
  { label: 'Remove from favorites', icon: HeartOff, brief: true, run: () => void mark({ favorite: false }) },
  { label: 'Tag', icon: Tag, key: 't', only: 'library', run: () => (panels.dialog = 'tags') },
  { label: 'Add to collection', icon: FolderPlus, key: 'b', only: 'library', run: () => (panels.dialog = 'collect') },
  { label: 'Remove from collection', icon: FolderMinus, key: 'Backspace', when: () => collections.current?.kind === 'manual', run: removeFromCollection },
  { label: 'Compare', icon: Columns2, key: 'c', for: [2, 4], run: () => void comparison.enter() },
  { label: 'Cull', icon: GalleryThumbnails, key: 'Shift+C', only: 'library', for: [2, Infinity], run: () => cullSession.enter() },
  { label: 'Note', icon: NotebookPen, key: 'n', brief: true, run: () => (panels.dialog = 'notes') },
  { label: 'Move to Trash', icon: Trash2, key: 'Del', only: 'library', run: () => void trash() },
  { label: 'Restore', icon: ArchiveRestore, key: 'r', only: 'trash', run: () => void restore() },
  { label: 'Delete permanently', icon: Trash2, key: 'Del', only: 'trash', danger: true, run: () => void deleteForever() },
];

export function isOffered(action: Action, count: number): boolean {
  const [fewest, most] = action.for ?? [1, Infinity];
  return (action.when?.() ?? true) && (!action.only || action.only === library.scope) && fewest <= count && count <= most;
}
