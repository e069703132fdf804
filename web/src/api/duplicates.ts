/** Groups of duplicate images, as the server sends them. */

export type DuplicateKind = 'picture' | 'recipe' | 'bytes';

export interface DuplicateImage {
  uuid: string;
  thumb: string | null;
  width: number | null;
  height: number | null;
  bytes: number | null;
  format: string | null;
  rating: number;
  favorite: boolean;
  timestamp: number;
  /** Every path of a file with these bytes. */
  places: string[];
  /** Why it is the image to keep, or why not. */
  reason: string | null;
  /** If it is kept: what it gets from the others, and what no image would have afterwards. */
  copied: string[];
  lost: string[];
}

/** `size` may be more than the images sent; at most `bits` of 256 differ. `kept` is the image that should be kept, null
 *  where merging would lose something. */
export interface DuplicateGroup {
  bits: number;
  size: number;
  kept: string | null;
  images: DuplicateImage[];
}

export interface DuplicatePage {
  total: number;
  images: number;
  groups: DuplicateGroup[];
}
