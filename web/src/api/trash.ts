/** The Trash, as the server reports it. */

export type Lock = 'favorites' | 'collected';

export interface TrashFacts {
  images: number;
  bytes: number;
  days: number;
  locked: Lock[];
}
