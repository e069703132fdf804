/** What came from what, as the server tells it. */

/** `layer` is 0 for the image that was asked for; an edge always leads to a higher layer. */
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

/** `sure`: known by a hash, or said by the person. */
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

/** How an image can come from its parent. Any other relation is of something else that went into it. */
export const RELATIONS = ['img2img', 'inpaint', 'upscale', 'variation', 'reproduction'] as const;
