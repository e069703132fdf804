/** Models that look at pictures, as the server says it. */

export interface Vision {
  is_on: boolean;
  clip: { folder: string; space: string; has_text: boolean } | null;
  /** From this score on a picture counts as explicit, 0 to 1. */
  least_explicit: number;
}

export interface VisionState {
  installed: boolean;
  sight: Vision;
  /** How many pictures each model has seen, the quickest model first. */
  progress: { space: string; seen: number }[];
}

/** By the names of thumbnails, of those that a model has looked at. */
export interface Scores {
  explicit: Record<string, number>;
}

/** Only what is given is changed; no folder: no model of one's own any more. */
export interface VisionChange {
  is_on?: boolean;
  clip_folder?: string;
  least_explicit?: number;
}
