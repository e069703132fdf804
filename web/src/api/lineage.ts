/** The lineage of images, as the server sends it. */

/** `layer` is 0 for the requested image; an edge always leads to a higher layer. */
export interface LineageNode {
  uuid: string;
  layer: number;
  role: 'self' | 'ancestor' | 'descendant' | 'sibling';
  thumb: string | null;
  color: number | null;
  width: number | null;
  height: number | null;
  timestamp: number;
  favorite: boolean;
  rating: number;
  missing: boolean;
  deleted: boolean;
}

/** `sure`: matched by hash, or set by the user. */
export interface LineageEdge {
  parent: string;
  child: string;
  relation: string;
  sure: boolean;
}

export interface UnknownInput {
  role: string;
  name: string | null;
  hash: string | null;
}

export interface Lineage {
  nodes: LineageNode[];
  edges: LineageEdge[];
  unknown: UnknownInput[];
  parent_by: string | null;
  truncated: boolean;
}

/** How an image can derive from its parent. Any other relation describes an additional input. */
export const RELATIONS = ['img2img', 'inpaint', 'upscale', 'variation', 'reproduction'] as const;
