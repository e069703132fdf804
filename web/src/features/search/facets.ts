/** The lists of the filters panel: order and labels. */

import type { Facet } from '../../api/client';
import { monthName } from '../../lib/format';

const NAMES: Record<string, string> = {
  model: 'Models',
  lora: 'LoRAs',
  tag: 'Tags',
  generator: 'Generators',
  sampler: 'Samplers',
  size: 'Sizes',
  rating: 'Ratings',
  path: 'Folders',
  date: 'Months',
  vae: 'VAEs',
  refiner: 'Refiners',
  embedding: 'Embeddings',
  controlnet: 'ControlNets',
  upscaler: 'Upscalers',
};

export function nameOf(field: string): string {
  return NAMES[field] ?? field;
}

export function labelOf(field: string, value: string): string {
  if (field === 'date') return monthName(`${value}-01`);
  if (field === 'rating') return value === '0' ? 'Unrated' : '★'.repeat(Number(value));
  if (field === 'size') return value.replace('x', ' × ');
  return value;
}

/** The fields that have values or an active filter, in the order of NAMES. */
export function orderFields(values: Readonly<Record<string, readonly Facet[]>>, filtered: readonly string[]): string[] {
  const order = Object.keys(NAMES);
  const place = (field: string): number => (order.includes(field) ? order.indexOf(field) : order.length);
  return Object.keys(values)
    .filter((field) => values[field]?.length || filtered.includes(field))
    .sort((a, b) => place(a) - place(b));
}
