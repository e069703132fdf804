/** Groups of duplicate images, as the server sends them. */

export type Alike = 'picture' | 'recipe' | 'bytes';

export interface AlikeImage {
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
export interface AlikeGroup {
  bits: number;
  size: number;
  images: AlikeImage[];
}

export interface AlikePage {
  total: number;
  images: number;
  groups: AlikeGroup[];
}
