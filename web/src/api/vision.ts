/** Image analysis, as the server sends it. */

export interface Vision {
  is_on: boolean;
  clip: { folder: string; space: string; has_text: boolean } | null;
  /** Images with this NSFW score or higher are blurred, 0 to 1. */
  least_explicit: number;
}

export interface VisionState {
  installed: boolean;
  settings: Vision;
  /** Number of images analyzed by each model, the fastest model first. */
  progress: { space: string; seen: number }[];
}

/** By thumbnail name, for analyzed images only. */
export interface Scores {
  explicit: Record<string, number>;
}

/** Only given fields are changed; an empty folder removes the user's own model. */
export interface VisionChange {
  is_on?: boolean;
  clip_folder?: string;
  least_explicit?: number;
}
