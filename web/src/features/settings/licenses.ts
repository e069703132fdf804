/** The licenses of what MystiCanvas contains. Imported only when the About section is shown. */

interface Bundled {
  name: string;
  use: string;
  license: string;
  text: string;
  source: string;
}

export interface License extends Bundled {
  /** The complete text, instead of the name of its file. */
  text: string;
}

const FOLDER = '../../../../LICENSES/';
const LISTED = import.meta.glob<Bundled[]>('../../../../LICENSES/bundled.json', { import: 'default', eager: true });
const TEXTS = import.meta.glob<string>('../../../../LICENSES/*.txt', { query: '?raw', import: 'default', eager: true });

export const licenses: License[] = Object.values(LISTED)
  .flat()
  .map((one) => ({ ...one, text: TEXTS[FOLDER + one.text] ?? '' }));
