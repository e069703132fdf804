/** Images that are alike, as the server says it. */

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
  /** Every path at which its bytes lie. */
  places: string[];
}

/** `size` may be more than are shown; `bits` of 256 differ at most. */
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
