/** No CSS block may be in two files: shared styles belong in a component or in a class of app.css. */

import { expect, test } from 'vitest';

interface Rule {
  file: string;
  selector: string;
  /** Sorted, because their order has no meaning. */
  declarations: string;
  count: number;
}

/** Blocks with at least this number of declarations are compared regardless of the selector. */
const LONG = 3;
const COMPONENTS = import.meta.glob<string>('../**/*.svelte', { query: '?raw', import: 'default', eager: true });
const SHEETS = import.meta.glob<string>('../app/*.css', { query: '?raw', import: 'default', eager: true });

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function endOfBlock(css: string, open: number): number {
  let depth = 0;
  for (let at = open; at < css.length; at++) {
    if (css[at] === '{') depth++;
    else if (css[at] === '}' && --depth === 0) return at;
  }
  throw new Error('A block of CSS does not end.');
}

/** All rules with declarations; the at-rule is part of the selector. */
function rulesOf(file: string, css: string, within = ''): Rule[] {
  const rules: Rule[] = [];
  for (let at = 0, open = css.indexOf('{'); open >= 0; open = css.indexOf('{', at)) {
    const selector = plain(`${within} ${css.slice(at, open)}`);
    const end = endOfBlock(css, open);
    const body = css.slice(open + 1, end);
    at = end + 1;
    const declarations = body.split(';').map(plain).filter(Boolean).sort();
    if (body.includes('{')) rules.push(...rulesOf(file, body, selector));
    else rules.push({ file, selector, declarations: declarations.join('; '), count: declarations.length });
  }
  return rules;
}

function sheetOf(path: string, text: string): string {
  const css = path.endsWith('.css') ? text : [...text.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, block]) => block).join('\n');
  return css.replace(/\/\*[\s\S]*?\*\//g, '');
}

/** Rules that are in more than one file, one per line. */
function twice(rules: readonly Rule[]): string[] {
  const places = new Map<string, Rule[]>();
  for (const rule of rules) {
    const keys = [`${rule.selector} { ${rule.declarations} }`, ...(rule.count >= LONG ? [rule.declarations] : [])];
    for (const key of keys) places.set(key, [...(places.get(key) ?? []), rule]);
  }
  return [...places]
    .filter(([, found]) => new Set(found.map(({ file }) => file)).size > 1)
    .map(([key, found]) => `${key}: ${found.map(({ file, selector }) => `${file} ${selector}`).join(', ')}`);
}

test('no block of CSS stands in two files', () => {
  const sheets = Object.entries({ ...COMPONENTS, ...SHEETS }).map(([path, text]) => rulesOf(path, sheetOf(path, text)));
  expect(sheets.flat().length).toBeGreaterThan(500);
  expect(rulesOf('app.css', sheetOf('app.css', Object.values(SHEETS)[0] ?? '')).length).toBeGreaterThan(40);
  expect(twice(sheets.flat())).toEqual([]);
});

test('a block is the same in another order, under another selector, and in a media query of the same width', () => {
  const one = rulesOf('one', '.a { color: red; margin: 0; top: 1px }');
  expect(twice([...one, ...rulesOf('two', '.b { top:  1px; margin: 0;\n color: red; }')])).toHaveLength(1);
  expect(twice([...one, ...rulesOf('one', '.b { color: red; margin: 0; top: 1px }')])).toEqual([]);
  const narrow = '@media (max-width: 9px) { .a { color: red } }';
  expect(twice([...rulesOf('one', narrow), ...rulesOf('two', narrow)])).toHaveLength(1);
});

test('a short block counts only with its selector', () => {
  const short = (file: string, selector: string): Rule[] => rulesOf(file, `${selector} { margin: 0 }`);
  expect(twice([...short('one', 'p'), ...short('two', 'h1')])).toEqual([]);
  expect(twice([...short('one', 'p'), ...short('two', 'p')])).toHaveLength(1);
});
