import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: { outDir: '../src/mysticanvas/http/static', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false, license: { fileName: 'licenses.json' } },
  // ui/css.test.ts reads app.css, which would be empty otherwise.
  test: { include: ['src/**/*.test.ts'], setupFiles: ['src/setup.ts'], css: { include: [/app\.css/] } },
});
