/** The registry as a list: types, sort order, filter, and the query for the images of a model. */

import type { ListedModel } from '../../api/models';

/** In display order. */
const KINDS: Record<string, string> = {
  checkpoint: 'Checkpoints',
  lora: 'LoRAs',
  vae: 'VAEs',
  embedding: 'Embeddings',
  controlnet: 'ControlNets',
  upscaler: 'Upscalers',
  refiner: 'Refiners',
  text_encoder: 'Text encoders',
  other: 'Other',
};

export type Order = 'use' | 'name';

export interface KindCount {
  kind: string;
  label: string;
  count: number;
}

/** The types that have models. */
export function kindsOf(models: readonly ListedModel[]): KindCount[] {
  const counts = new Map<string, number>();
  for (const model of models) counts.set(model.kind, (counts.get(model.kind) ?? 0) + 1);
  return Object.entries(KINDS).flatMap(([kind, label]) => {
    const count = counts.get(kind);
    return count ? [{ kind, label, count }] : [];
  });
}

/** Models of a type that have every word in their name, title, family or trigger words. */
export function filterModels(models: readonly ListedModel[], kind: string, text: string, order: Order): ListedModel[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = models.filter((model) => {
    if (model.kind !== kind) return false;
    const texts = [model.name, model.title, model.family, ...model.trigger_words].join('\n').toLowerCase();
    return words.every((word) => texts.includes(word));
  });
  const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  return found.sort(
    (one, other) => (order === 'use' ? other.images - one.images : 0) || byName.compare(one.name, other.name),
  );
}

/** The query for all images made with a model; undefined for a type without a search field. */
export function queryFor(model: Pick<ListedModel, 'kind' | 'name'>, minWeight?: number): string | undefined {
  const name = `"${model.name.replaceAll('"', '')}"`;
  if (model.kind === 'checkpoint') return `model:${name}`;
  if (model.kind !== 'lora') return undefined;
  return minWeight === undefined ? `lora:${name}` : `lora:${name}>=${minWeight}`;
}
