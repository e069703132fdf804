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
}

/** `size` may be more than the images sent; at most `bits` of 256 differ. */
export interface DuplicateGroup {
  bits: number;
  size: number;
  images: DuplicateImage[];
}

export interface DuplicatePage {
  total: number;
  images: number;
  groups: DuplicateGroup[];
}
