/** Hooks, as the server sends them. They are added on the command line only. */

export interface Hook {
  id: string;
  event: string;
  command: string[] | null;
  url: string | null;
  enabled: boolean;
  created_at: number;
}

export interface HookList {
  hooks: Hook[];
  /** Why no hook runs; null if they do. */
  problem: string | null;
  /** Where they are defined. */
  file: string;
}
