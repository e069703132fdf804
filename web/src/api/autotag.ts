/** Auto-tagging settings and runs, as the server sends them. */

export type LookAt = 'prompt' | 'picture' | 'both';

export interface AutotagSettings {
  endpoint: { base_url: string; model: string; allow_remote: boolean };
  look_at: LookAt;
  after_import: boolean;
}

export interface AutotagState {
  /** Null while auto-tagging is off. */
  wishes: AutotagSettings | null;
  has_key: boolean;
  prompt_version: number;
}

export interface Tried {
  prompt: string | null;
  took_ms: number;
  tags: { name: string; category: string; confidence: number }[];
}

/** `told` images were tagged by this model before; `silent` ones have no prompt to send. */
export interface AutotagRun {
  run: string | null;
  images: number;
  questions: number;
  told: number;
  silent: number;
}
