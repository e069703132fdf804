/** Categories of tags: a colour each, and never the colour alone. */

/** As image boards have them; others get a colour from their name. */
const HUES: Record<string, number> = { artist: 5, character: 140, copyright: 300, series: 300, species: 30, meta: 45, style: 190, place: 215 };

/** A hue of the colour wheel; none for tags without a category. */
export function hueOf(category: string | null): number | undefined {
  if (!category) return undefined;
  const name = category.toLowerCase();
  // The golden angle puts names that are alike far apart.
  return HUES[name] ?? Math.floor(([...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973, 7) * 137.5) % 360);
}
