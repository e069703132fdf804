/** What can be done with the images that are chosen. Another deed is another entry. */

import Heart from '@lucide/svelte/icons/heart';
import HeartOff from '@lucide/svelte/icons/heart-off';
import Tag from '@lucide/svelte/icons/tag';
import type { Component } from 'svelte';

import { panels } from '../shell/panels.svelte';
import { library } from './library.svelte';

export interface Action {
  label: string;
  icon: Component<{ size?: number; 'aria-hidden'?: 'true' }>;
  /** As the table of keys shows it. */
  key?: string;
  danger?: boolean;
  run: () => void;
}

export const ACTIONS: readonly Action[] = [
  { label: 'Favourite', icon: Heart, key: 'f', run: () => void library.mark({ favorite: true }) },
  { label: 'Not a favourite', icon: HeartOff, run: () => void library.mark({ favorite: false }) },
  { label: 'Tag', icon: Tag, key: 't', run: () => (panels.dialog = 'tags') },
];
