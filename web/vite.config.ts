import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: { outDir: '../src/mysticanvas/server/static', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false },
  test: { include: ['src/**/*.test.ts'] },
});
