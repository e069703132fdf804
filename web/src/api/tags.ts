/** The tag vocabulary and the tags of images, as the server sends them. */

import type { EditResult } from './client';

export interface Tag {
  id: number;
  name: string;
  category: string | null;
  state: string;
  origin: string;
  images: number;
  /** The target tag, if this is an alias. */
  alias_of: string | null;
}

/** `implies`: all tags that are added with it. */
export interface OfferedTag extends Tag {
  implies: string[];
}

export interface TagPart {
  total: number;
  start: number;
  tags: Tag[];
}

export interface TagCategories {
  /** "" stands for tags without a category. */
  categories: { category: string; tags: number }[];
  /** The confidence threshold of each source. */
  thresholds: Record<string, number>;
}

/** A tag of some selected images: `images` of them have it; `implied_by` lists their tags that imply it. */
export interface SharedTag extends Tag {
  implied_by: string[];
}

export interface SharedTags {
  images: number;
  tags: SharedTag[];
  total: number;
}

export type Source = 'user' | 'prompt' | 'llm' | 'vision' | 'import';

/** One decision of one source about one tag of an image; `decision` false: the tag was rejected. */
export interface Assignment {
  tag: string;
  shown_as: string;
  source: Source;
  run: string;
  decision: boolean;
  confidence: number | null;
  created_at: number;
}

export interface ImageTags {
  tags: Tag[];
  assignments: Assignment[];
  collections: { uuid: string; name: string }[];
}

export interface TagDetail {
  tag: Tag;
  thresholds: Record<string, number>;
  assignments: { source: string; yes: number; no: number }[];
  /** All implied tags, direct or not. */
  also: string[];
  aliases: string[];
  implies: string[];
  implied_by: string[];
}

export interface Proposal {
  name: string;
  origin: string;
  images: number;
  /** Existing tags that may be meant. */
  similar: string[];
}

/** A line of a bulk edit and what it would do. */
export interface Outcome {
  line: number;
  text: string;
  images: number;
  conflict: string | null;
  remark: string | null;
}

export interface BulkPreview {
  lines: Outcome[];
  ok: boolean;
  edit: EditResult | null;
}

/** Images that are being updated after a relation changed. */
export interface TagWork {
  id: number;
  tag: string | null;
  effective: string | null;
  how: string;
  done: number;
  total: number;
}
