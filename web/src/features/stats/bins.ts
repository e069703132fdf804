/** Images over time: months grouped so that every column is visible and clickable. */

import type { Facet } from '../../api/client';
import { monthName } from '../../lib/format';

/** Months per column; longer spans are drawn in years, whatever their number. */
const WIDTHS = [1, 3, 12] as const;

export interface Bin {
  label: string;
  count: number;
  /** The term that filters by it. */
  text: string;
  /** The label below: the year that begins with this column. */
  year: string;
}

/** Every month, quarter or year from the first image to the last, including empty ones; at most `most` if the years fit. */
export function binsOf(months: readonly Facet[], most: number): Bin[] {
  const first = numberOf(months[0]?.value);
  const last = numberOf(months.at(-1)?.value);
  if (first === undefined || last === undefined) return [];
  const width = WIDTHS.find((one) => Math.floor(last / one) - Math.floor(first / one) < most) ?? 12;
  const bins: Bin[] = [];
  for (let at = Math.floor(first / width); at <= Math.floor(last / width); at++) bins.push(emptyBin(at * width, width, bins.length === 0));
  for (const month of months) {
    const bin = bins[Math.floor((numberOf(month.value) ?? first) / width) - Math.floor(first / width)];
    if (bin) bin.count += month.count;
  }
  return bins;
}

function emptyBin(month: number, width: number, first: boolean): Bin {
  const [begin, end] = [formatMonth(month), formatMonth(month + width - 1)];
  const year = begin.slice(0, 4);
  const january = month % 12 === 0;
  const label = width === 12 ? year : width === 1 ? monthName(`${begin}-01`) : `${monthName(`${begin}-01`)} to ${monthName(`${end}-01`)}`;
  return { label, count: 0, text: `date:${width === 12 ? year : width === 1 ? begin : `${begin}..${end}`}`, year: january || first ? year : '' };
}

/** Months since the year 0. */
function numberOf(month: string | undefined): number | undefined {
  const [year, inYear] = (month ?? '').split('-').map(Number);
  return year && inYear ? year * 12 + inYear - 1 : undefined;
}

function formatMonth(month: number): string {
  return `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}`;
}
