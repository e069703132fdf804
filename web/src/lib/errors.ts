/** What went wrong, as a sentence for the person. */
export function messageOf(error: unknown, otherwise = 'That did not work.'): string {
  return error instanceof Error ? error.message : otherwise;
}
