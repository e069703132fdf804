/** Auto-tagging settings and runs, as the server sends them. */

export type LookAt = 'prompt' | 'picture' | 'both';

export interface AutotagSettings {
  endpoint: { base_url: string; model: string; allow_remote: boolean };
  look_at: LookAt;
  after_import: boolean;
}

export interface AutotagState {
  /** Null while auto-tagging is off. */
  settings: AutotagSettings | null;
  has_key: boolean;
  prompt_version: number;
}

export interface Tried {
  prompt: string | null;
  took_ms: number;
  tags: { name: string; category: string; confidence: number }[];
}

/** `already_tagged` images were tagged by this model before; `without_prompt` ones have nothing to send. */
export interface AutotagRun {
  run: string | null;
  images: number;
  requests: number;
  already_tagged: number;
  without_prompt: number;
}
