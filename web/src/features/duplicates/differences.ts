/** The differences within a group, and the suggested image to keep. */

import type { Detail } from '../../api/client';
import type { DuplicateImage } from '../../api/duplicates';
import { formatBytes, formatMoment } from '../../lib/format';

export interface Compared {
  name: string;
  /** One value per image. */
  values: string[];
  differs: boolean;
}

/** The best one to keep: first by the user's marks, then the largest, then the oldest. */
export function best(images: readonly DuplicateImage[]): string | undefined {
  const weight = (image: DuplicateImage): number[] => [
    Number(image.favorite),
    image.rating,
    (image.width ?? 0) * (image.height ?? 0),
    image.bytes ?? 0,
    -image.timestamp,
  ];
  return [...images].sort((one, other) => compareWeights(weight(other), weight(one)))[0]?.uuid;
}

function compareWeights(one: readonly number[], other: readonly number[]): number {
  for (const [at, value] of one.entries()) {
    const difference = value - (other[at] ?? 0);
    if (difference) return difference;
  }
  return 0;
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

/** Whether the generation data differs: then they may not be duplicates. */
export function hasOtherSettings(compared: readonly Compared[]): boolean {
  const telling = compared.filter((row) => ['Prompt', 'Model', 'Seed'].includes(row.name));
  return telling.some((row) => new Set(row.values.filter(Boolean)).size > 1);
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
