/** The differences between images: settings by row, texts by word. */

import type { Detail } from '../../api/client';

export interface Row {
  name: string;
  /** One value per image; empty if unknown. */
  values: string[];
  differs: boolean;
}
export interface Piece {
  text: string;
  /** Not in all of the texts. */
  differs: boolean;
}

/** Above this number of words, word order is ignored. */
const MOST_ALIGNED = 1_500;

const SETTINGS: readonly [string, (of: Detail) => unknown][] = [
  ['Model', (of) => of.model],
  ['LoRA', (of) => of.loras.map((lora) => (lora.weight === null ? lora.name : `${lora.name}: ${lora.weight}`)).join(', ')],
  ['VAE', (of) => of.vae],
  ['Seed', (of) => of.seed],
  ['Steps', (of) => of.steps],
  ['CFG scale', (of) => of.cfg_scale],
  ['Guidance', (of) => of.guidance],
  ['Sampler', (of) => of.sampler],
  ['Scheduler', (of) => of.scheduler],
  ['Denoising strength', (of) => of.denoise],
  ['Clip skip', (of) => of.clip_skip],
  ['Size', (of) => (of.width && of.height ? `${of.width} × ${of.height}` : null)],
  ['Generator', (of) => [of.tool, of.tool_version].filter(Boolean).join(' ')],
];

/** Of all settings that any of the images has, without texts. */
export function rows(details: readonly Detail[]): Row[] {
  const others = [...new Set(details.flatMap((one) => Object.keys(one.params)))].sort();
  const all: [string, (of: Detail) => unknown][] = [...SETTINGS, ...others.map((name): [string, (of: Detail) => unknown] => [name, (of) => of.params[name]])];
  return all.flatMap(([name, of]) => {
    const values = details.map((one) => formatValue(of(one)));
    return values.some(Boolean) ? [{ name, values, differs: new Set(values).size > 1 }] : [];
  });
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The texts in pieces; joined, they are the texts again. */
export function markDifferences(texts: readonly string[]): Piece[][] {
  const words = texts.map((text) => text.match(/\s+|[^\s,()]+|[,()]/g) ?? []);
  const plain = words.map((one) => one.filter(isWord));
  const common = plain.slice(1).reduce<string[]>((shared, one) => findCommonWords(shared, one), plain[0] ?? []);
  return words.map((one) => joinPieces(pieces(one, common)));
}

function isWord(token: string): boolean {
  return /[^\s,()]/.test(token);
}

/** Marks each word that is not the next common one. */
function pieces(tokens: readonly string[], common: readonly string[]): Piece[] {
  let at = 0;
  return tokens.map((text) => {
    if (!isWord(text)) return { text, differs: false };
    const same = at < common.length && text === common[at];
    if (same) at++;
    return { text, differs: !same };
  });
}

function joinPieces(all: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const [at, piece] of all.entries()) {
    // Separators between two differing words are marked too.
    const between = /^\s+$/.test(piece.text) && all[at - 1]?.differs && all[at + 1]?.differs;
    if (between) piece.differs = true;
    const last = found.at(-1);
    if (last && last.differs === piece.differs) last.text += piece.text;
    else found.push({ ...piece });
  }
  return found;
}

/** The longest common sequence of words; for long texts only the common start and end, and what lies between. */
function findCommonWords(one: readonly string[], other: readonly string[]): string[] {
  let from = 0;
  while (from < one.length && from < other.length && one[from] === other[from]) from++;
  let tail = 0;
  while (tail < one.length - from && tail < other.length - from && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail++;
  const [a, b] = [one.slice(from, one.length - tail), other.slice(from, other.length - tail)];
  const between = a.length * b.length > MOST_ALIGNED ** 2 ? [] : alignWords(a, b);
  return [...one.slice(0, from), ...between, ...one.slice(one.length - tail)];
}

function alignWords(a: readonly string[], b: readonly string[]): string[] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const same = (longest[(i + 1) * width + j + 1] ?? 0) + 1;
      longest[i * width + j] = a[i] === b[j] ? same : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
    }
  }
  const found: string[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      found.push(a[i] ?? '');
      i++;
      j++;
    } else if ((longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0)) i++;
    else j++;
  }
  return found;
}
