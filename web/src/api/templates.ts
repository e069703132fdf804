/** Prompt templates and wildcards. */

import type { Schemas } from './client';

export type Template = Schemas['TemplateDetail'];
export type Params = NonNullable<Schemas['TemplateCreationRequest']['params']>;
export type Wildcard = Schemas['Wildcard'];
export type TemplateList = Schemas['TemplateList'];
export type Expanded = Schemas['Expansion'];
export type Tried = Schemas['TemplateTrial'];
export type Form = 'a1111' | 'prompt' | 'json';
