/** The differences within a group. */

import type { Detail } from '../../api/client';
import type { DuplicateImage } from '../../api/duplicates';
import { formatBytes, formatMoment } from '../../lib/format';

export interface Compared {
  name: string;
  /** One value per image. */
  values: string[];
  differs: boolean;
}

/** How close the pictures of a group are, in words: at most `bits` of the 256 bits of their hashes differ. */
export function closeness(bits: number): string {
  if (bits === 0) return 'Visually identical images';
  const word = bits <= 16 ? 'Nearly identical images' : 'Similar images';
  return `${word} (${bits} of 256 hash bits differ)`;
}

/** Rows of a table over the images, without empty rows. `details` may not be loaded yet. */
export function rows(images: readonly DuplicateImage[], details: ReadonlyMap<string, Detail>): Compared[] {
  const of = (read: (image: DuplicateImage, detail: Detail | undefined) => string | number | null | undefined): string[] =>
    images.map((image) => String(read(image, details.get(image.uuid)) ?? ''));
  const all: [string, string[]][] = [
    ['Size', of((image) => (image.width && image.height ? `${image.width} × ${image.height}` : null))],
    ['File', of((image) => [image.bytes === null ? '' : formatBytes(image.bytes), image.format?.toUpperCase()].filter(Boolean).join(' · '))],
    ['Date', of((image) => formatMoment(image.timestamp))],
    ['Rating', of((image) => [image.favorite ? '♥' : '', '★'.repeat(image.rating)].filter(Boolean).join(' '))],
    ['Prompt', of((_, detail) => detail?.prompt)],
    ['Negative prompt', of((_, detail) => detail?.negative_prompt)],
    ['Model', of((_, detail) => detail?.model)],
    ['LoRA', of((_, detail) => detail?.loras.map((lora) => lora.name).join(', '))],
    ['Seed', of((_, detail) => detail?.seed)],
    ['Steps', of((_, detail) => detail?.steps)],
    ['CFG scale', of((_, detail) => detail?.cfg_scale)],
    ['Sampler', of((_, detail) => [detail?.sampler, detail?.scheduler].filter(Boolean).join(' · '))],
    ['Generator', of((_, detail) => [detail?.tool, detail?.tool_version].filter(Boolean).join(' '))],
    ['Folder', of((image) => image.places.map(folder).join('\n'))],
    ['Name', of((image) => image.places.map(fileName).join('\n'))],
  ];
  return all
    .filter(([, values]) => values.some(Boolean))
    .map(([name, values]) => ({ name, values, differs: new Set(values).size > 1 }));
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
