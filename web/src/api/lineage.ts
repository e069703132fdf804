/** The lineage of images. */

import type { Schemas } from './client';

export type LineageNode = Schemas['LineageNode'];
export type LineageEdge = Schemas['LineageEdge'];
export type Lineage = Schemas['Lineage'];

/** How an image can derive from its parent. Any other relation describes an additional input. */
export const RELATIONS = ['img2img', 'inpaint', 'upscale', 'variation', 'reproduction'] as const;
