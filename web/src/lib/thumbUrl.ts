/** Counts changes of what thumbnails show. Browsers keep a thumbnail for a year, so a change needs another address. */
const VERSION = 2;

/** The address of a thumbnail. `shortEdge` is 256 or 512 pixels. */
export function thumbUrl(name: string, shortEdge: 256 | 512): string {
  return `/api/v1/thumbnails/${name}/${shortEdge}?v=${VERSION}`;
}
