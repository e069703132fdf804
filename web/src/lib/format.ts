/** Numbers, dates and sizes for display, in American English like all texts. */

const LOCALE = 'en-US';

export function formatNumber(value: number): string {
  return value.toLocaleString(LOCALE);
}

/** A number with its noun: “1 image”, “1,234 images”. `plural` is for nouns with an irregular plural. */
export function formatCount(count: number, noun: string, plural?: string): string {
  return `${formatNumber(count)} ${pluralize(count, noun, plural)}`;
}

/** The noun or verb that goes with this number. */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

/** Short: 250K. */
export function compact(value: number): string {
  return value.toLocaleString(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
}

/** A local day, YYYY-MM-DD. */
export function dayName(day: string): string {
  const date = new Date(`${day}T12:00:00`);
  return date.toLocaleDateString(LOCALE, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' });
}

export function monthName(day: string): string {
  return new Date(`${day.slice(0, 7)}-15T12:00:00`).toLocaleDateString(LOCALE, { month: 'short', year: 'numeric' });
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
  return new Date(unixMs).toLocaleString(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
}

export function formatDay(unixMs: number): string {
  return new Date(unixMs).toLocaleDateString(LOCALE, { dateStyle: 'long' });
}

export function formatTime(unixMs: number): string {
  return new Date(unixMs).toLocaleTimeString(LOCALE, { timeStyle: 'short' });
}
