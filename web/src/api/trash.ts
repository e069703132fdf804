/** Trash, as the server sends it. */

export type Lock = 'favorites' | 'collected';

export interface TrashFacts {
  images: number;
  bytes: number;
  days: number;
  locked: Lock[];
}
