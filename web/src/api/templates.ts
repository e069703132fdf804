/** Prompt templates and wildcards, as the server sends them. */

export type Params = Record<string, string | number>;

export interface Template {
  uuid: string;
  name: string;
  content: string;
  negative: string | null;
  params: Params;
  category: string | null;
  /** An image, and the name of its thumbnail. */
  preview: string | null;
  thumb: string | null;
  uses: number;
  created_at: number;
  variables: string[];
  wildcards: string[];
}

/** One choice per line. */
export interface Wildcard {
  name: string;
  content: string;
}

export interface TemplateList {
  templates: Template[];
  wildcards: Wildcard[];
}

export type Form = 'a1111' | 'prompt' | 'json';

/** The template expanded at a seed and the seeds after it; objects if the form is JSON. */
export interface Expanded {
  seed: number;
  expanded: (string | Record<string, unknown>)[];
}

export interface Tried extends Expanded {
  variables: string[];
  wildcards: string[];
}
