/** Turning files as their EXIF orientation says, where the browser does not. */

/** CSS transforms by orientation. */
export const TURNS: Record<number, string | undefined> = {
  2: 'scaleX(-1)',
  3: 'rotate(180deg)',
  4: 'scaleY(-1)',
  5: 'scaleX(-1) rotate(90deg)',
  6: 'rotate(90deg)',
  7: 'scaleX(-1) rotate(270deg)',
  8: 'rotate(270deg)',
};

/** 2 × 1 pixels with orientation 6. */
const TURNED_WEBP =
  'data:image/webp;base64,UklGRk4AAABXRUJQVlA4WAoAAAAIAAAAAQAAAAAAVlA4TA4AAAAvAQAAAAcQEf0PRET/A0VYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA=';

class Browser {
  /** Whether the browser turns a WebP by itself. */
  turnsWebp = $state(false);

  constructor() {
    const probe = new Image();
    probe.onload = () => (this.turnsWebp = probe.naturalHeight === 2);
    probe.src = TURNED_WEBP;
  }
}

export const browser = new Browser();
