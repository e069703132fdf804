/** Numbers, dates and sizes for display. */

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

/** Short: 250K. */
export function compact(value: number): string {
  return value.toLocaleString('en-US', { notation: 'compact', maximumFractionDigits: 1 });
}

/** A local day, YYYY-MM-DD. */
export function dayName(day: string): string {
  const date = new Date(`${day}T12:00:00`);
  return date.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' }).replace(',', '');
}

export function monthName(day: string): string {
  return new Date(`${day.slice(0, 7)}-15T12:00:00`).toLocaleDateString('en-GB', { month: 'short', year: 'numeric' });
}

export function formatBytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit ? value.toFixed(value < 10 ? 1 : 0) : value} ${units[unit]}`;
}

export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function formatMoment(unixMs: number): string {
  return new Date(unixMs).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}
