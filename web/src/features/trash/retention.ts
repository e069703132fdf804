/** The time until images in Trash may be deleted permanently. */

const DAY_MS = 86_400_000;

/** `day` is a local day, YYYY-MM-DD. */
export function describeTimeLeft(day: string, now: Date): string {
  const left = Math.round((new Date(`${day}T12:00:00`).getTime() - new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12).getTime()) / DAY_MS);
  if (left < 0) return 'Overdue';
  if (left === 0) return 'Will be deleted today';
  return left === 1 ? 'Will be deleted tomorrow' : `Will be deleted in ${left} days`;
}
