/** The vocabulary, and what was said of images, as the server tells it. */

export interface Tag {
  id: number;
  name: string;
  category: string | null;
  state: string;
  origin: string;
  images: number;
  /** The tag that it leads to, when it is another name. */
  alias_of: string | null;
}

/** `implies`: all that shows with it. */
export interface OfferedTag extends Tag {
  implies: string[];
}

export interface TagPart {
  total: number;
  start: number;
  tags: Tag[];
}

export interface TagCategories {
  /** "" stands for tags without one. */
  categories: { category: string; tags: number }[];
  /** From which confidence on each source is believed. */
  thresholds: Record<string, number>;
}

/** A tag as some chosen images have it: `images` of them, and which of their tags imply it. */
export interface SharedTag extends Tag {
  from: string[];
}

export interface SharedTags {
  images: number;
  tags: SharedTag[];
  total: number;
}

export type Source = 'user' | 'prompt' | 'llm' | 'vision' | 'import';

/** One word of one source on one tag of an image; `decision` false: it has not the tag. */
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
  said: Assignment[];
  collections: { uuid: string; name: string }[];
}

export interface TagDetail {
  tag: Tag;
  thresholds: Record<string, number>;
  said: { source: string; yes: number; no: number }[];
  /** All that shows with it, by whatever way. */
  also: string[];
  aliases: string[];
  implies: string[];
  implied_by: string[];
}

export interface Proposal {
  name: string;
  origin: string;
  images: number;
  /** Known tags that may be meant. */
  similar: string[];
}

/** A line of a script, and what it would do. */
export interface Outcome {
  line: number;
  text: string;
  images: number;
  conflict: string | null;
  remark: string | null;
}

export interface Trial {
  lines: Outcome[];
  ok: boolean;
}

/** Images that are brought in step with a relation. */
export interface TagWork {
  id: number;
  tag: string | null;
  effective: string | null;
  how: string;
  done: number;
  total: number;
}
