/** Auto-tagging, as the server says it. */

export type LookAt = 'prompt' | 'picture' | 'both';

export interface AutotagSettings {
  endpoint: { base_url: string; model: string; allow_remote: boolean };
  look_at: LookAt;
  after_import: boolean;
}

export interface AutotagState {
  /** Null while it is off. */
  wishes: AutotagSettings | null;
  has_key: boolean;
  prompt_version: number;
}

export interface Tried {
  prompt: string | null;
  took_ms: number;
  tags: { name: string; category: string; confidence: number }[];
}

/** `told` were tagged by this model before; `silent` have nothing to be asked about. */
export interface AutotagRun {
  run: string | null;
  images: number;
  questions: number;
  told: number;
  silent: number;
}
