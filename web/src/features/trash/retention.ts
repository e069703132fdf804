/** How long until what is in the Trash may go for good. */

const DAY_MS = 86_400_000;

/** `day` is a local day written YYYY-MM-DD. */
export function describeTimeLeft(day: string, now: Date): string {
  const left = Math.round((new Date(`${day}T12:00:00`).getTime() - new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12).getTime()) / DAY_MS);
  if (left < 0) return 'Time is up';
  if (left === 0) return 'Goes today';
  return left === 1 ? 'Goes tomorrow' : `Goes in ${left} days`;
}
