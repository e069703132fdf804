/** Zoom and pan of an image. Lengths in CSS pixels from the center of the stage. */

const NEAREST = 16;
const SMALL_STEP = 2;

export class Zoom {
  factor = $state(1);
  x = $state(0);
  y = $state(0);
  /** The factor at which one image pixel is one screen pixel. */
  actual = $state(1);

  fit(): void {
    this.factor = 1;
    this.x = this.y = 0;
  }

  /** Toggles between fit and 100%; if the image is smaller than that, zooms in instead. */
  toggle(): void {
    if (this.factor !== 1) this.fit();
    else this.factor = this.actual > 1.05 ? Math.min(NEAREST, this.actual) : SMALL_STEP;
  }

  /** Zooms in (`by` > 1) or out around the pointer. */
  scale(by: number, x: number, y: number): void {
    const next = Math.min(NEAREST, Math.max(1, this.factor * by));
    if (next === 1) return this.fit();
    const change = next / this.factor;
    this.x = x - (x - this.x) * change;
    this.y = y - (y - this.y) * change;
    this.factor = next;
  }

  move(x: number, y: number): void {
    if (this.factor === 1) return;
    this.x += x;
    this.y += y;
  }
}

export const zoom = new Zoom();
