/** Manual and smart collections, as the server sends them. */

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
  /** Null if it cannot be counted. */
  images: number | null;
  /** The query that opens it. */
  text: string;
}
