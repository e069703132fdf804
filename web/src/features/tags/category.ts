/** Categories of tags: each has a color, and never only a color. */

/** As image boards have them; others get a color from their name. */
const HUES: Record<string, number> = { artist: 5, character: 140, copyright: 300, series: 300, species: 30, meta: 45, style: 190, place: 215 };

/** A hue of the color wheel; none for tags without a category. */
export function hueOf(category: string | null): number | undefined {
  if (!category) return undefined;
  const name = category.toLowerCase();
  // The golden angle separates similar names.
  return HUES[name] ?? Math.floor(([...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973, 7) * 137.5) % 360);
}
