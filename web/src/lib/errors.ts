/** The error as a sentence for the user. */
export function messageOf(error: unknown, otherwise = 'Something went wrong.'): string {
  return error instanceof Error ? error.message : otherwise;
}
