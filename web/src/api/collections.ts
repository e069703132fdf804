/** Collections by hand and by search, as the server tells it. */

export interface Collection {
  id: number;
  uuid: string;
  name: string;
  kind: 'manual' | 'smart';
  query: string | null;
  parent: string | null;
  cover: string | null;
  /** Of the cover, or of the first image. */
  thumb: string | null;
  notes: string | null;
  position: number;
  /** Null where it cannot be counted. */
  images: number | null;
  /** The search that opens it. */
  text: string;
}
