/** Imports point down: app, features, api and ui, lib, and what is generated from the API's document. */

import { expect, test } from 'vitest';

const BELOW: Record<string, readonly string[]> = {
  generated: [],
  lib: ['lib', 'generated'],
  ui: ['lib', 'ui'],
  api: ['lib', 'api', 'generated'],
  features: ['lib', 'ui', 'api', 'features'],
  app: ['lib', 'ui', 'api', 'features', 'app'],
};
const SOURCES = import.meta.glob<string>('../**/*.{ts,svelte}', { query: '?raw', import: 'default', eager: true });

/** Resolves `../features/tags/Tags.svelte` in `app/` to `features/tags/Tags.svelte`. */
function pathsOf(from: string, text: string): string[] {
  const folder = new URL(from, 'http://src/app/');
  return [...text.matchAll(/from '(\.[^']*)'/g)].map(([, path = '']) => new URL(path, folder).pathname.slice(1));
}

test('every module imports only from its own layer and those below it', () => {
  const upward = Object.entries(SOURCES).flatMap(([path, text]) => {
    const module = new URL(path, 'http://src/app/').pathname.slice(1);
    const allowed = BELOW[module.split('/')[0] ?? ''] ?? [];
    return pathsOf(path, text)
      .filter((imported) => !imported.startsWith('tests/') && !allowed.includes(imported.split('/')[0] ?? ''))
      .map((imported) => `${module} imports ${imported}`);
  });
  expect(Object.keys(SOURCES).length).toBeGreaterThan(150);
  expect(upward).toEqual([]);
});
