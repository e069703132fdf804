/** The tag vocabulary and the tags of images. */

import type { Schemas } from './client';

export type Tag = Schemas['Tag'];
export type OfferedTag = Schemas['CompletedTag'];
export type TagPart = Schemas['TagSlice'];
export type TagCategories = Schemas['TagCategories'];
export type SharedTag = Schemas['SharedTag'];
export type SharedTags = Schemas['SharedTags'];
export type Assignment = Schemas['ImageAssertion'];
export type ImageTags = Schemas['ImageTags'];
export type TagDetail = Schemas['TagDetail'];
export type Proposal = Schemas['Suggestion'];
export type BulkPreview = Schemas['TagScriptResult'];
