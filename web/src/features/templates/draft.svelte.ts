/** A template being edited, next to the saved one. */

import type { Params, Template } from '../../api/templates';

/** The settings that a template can have: name, label, whether it is a number. */
export const SETTINGS: readonly [name: string, label: string, numeric: boolean][] = [
  ['model', 'Model', false],
  ['sampler', 'Sampler', false],
  ['scheduler', 'Scheduler', false],
  ['steps', 'Steps', true],
  ['cfg_scale', 'CFG scale', true],
  ['guidance', 'Guidance', true],
  ['denoise', 'Denoising strength', true],
  ['clip_skip', 'Clip skip', true],
  ['width', 'Width', true],
  ['height', 'Height', true],
];

export class Draft {
  private kept = $state.raw<Template | undefined>();
  name = $state('');
  category = $state('');
  content = $state('');
  negative = $state('');
  preview = $state<string | null>(null);
  /** As they are typed; empty ones are not set. */
  settings = $state<Record<string, string>>({});

  /** Without a template: a new one. */
  constructor(kept?: Template) {
    this.kept = kept;
    this.name = kept?.name ?? '';
    this.category = kept?.category ?? '';
    this.content = kept?.content ?? '';
    this.negative = kept?.negative ?? '';
    this.preview = kept?.preview ?? null;
    this.settings = Object.fromEntries(Object.entries(kept?.params ?? {}).map(([name, value]) => [name, String(value)]));
  }

  get uuid(): string | undefined {
    return this.kept?.uuid;
  }

  /** The saved state from now on. */
  settle(kept: Template): void {
    this.kept = kept;
  }

  /** Whether the draft was started from this saved state. */
  isOf(template: Template): boolean {
    return JSON.stringify(Draft.of(template)) === JSON.stringify(Draft.of(this.kept));
  }

  params = $derived.by((): Params => {
    const set: Params = {};
    for (const [name, , numeric] of SETTINGS) {
      const text = (this.settings[name] ?? '').trim();
      if (!text) continue;
      const value = Number(text);
      set[name] = numeric && Number.isFinite(value) ? value : text;
    }
    return set;
  });

  /** The body of the request. */
  given = $derived({
    name: this.name.trim(),
    category: this.category.trim() || null,
    content: this.content,
    negative: this.negative.trim() ? this.negative : null,
    params: this.params,
    preview: this.preview,
  });

  changed = $derived(JSON.stringify(this.given) !== JSON.stringify(Draft.of(this.kept)));

  private static of(kept: Template | undefined): Draft['given'] {
    const order = SETTINGS.map(([name]) => name);
    const params = Object.fromEntries(Object.entries(kept?.params ?? {}).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
    return {
      name: kept?.name ?? '',
      category: kept?.category ?? null,
      content: kept?.content ?? '',
      negative: kept?.negative ?? null,
      params,
      preview: kept?.preview ?? null,
    };
  }
}
