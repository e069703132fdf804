/** The marks of the scrubber: years and months if the images are sorted by date, else positions. */

import { compact } from '../../lib/format';
import type { Section } from '../../lib/layout';

/** Shares of the height that a label and a dot need. */
const YEAR_ROOM = 0.035;
const MONTH_ROOM = 0.009;
const QUARTERS = [0.25, 0.5, 0.75];
const FEWEST_TO_MARK = 8;

export interface Mark {
  name: string;
  share: number;
  /** Has a label; the others are dots. */
  named: boolean;
}

export function isDated(sections: readonly Section[]): boolean {
  return Boolean(sections[0]?.day);
}

function isAscending(sections: readonly Section[]): boolean {
  return (sections[0]?.day ?? '') < (sections.at(-1)?.day ?? '');
}

/** Years with room for a label, and a dot for each month with room for one. `shareOf` maps a section to its top. */
export function dateMarks(sections: readonly Section[], shareOf: (section: number) => number): Mark[] {
  const found: Mark[] = [];
  let lastYear = -1;
  let lastMark = -1;
  let month = '';
  let year = '';
  sections.forEach((section, at) => {
    if (section.day.startsWith(month) && month) return;
    month = section.day.slice(0, 7);
    const share = shareOf(at);
    if (section.day.slice(0, 4) !== year && share - lastYear > YEAR_ROOM) {
      year = section.day.slice(0, 4);
      found.push({ name: year, share, named: true });
      lastYear = lastMark = share;
    } else if (share - lastMark > MONTH_ROOM && share - lastYear > YEAR_ROOM / 2) {
      found.push({ name: month, share, named: false });
      lastMark = share;
    }
  });
  return found;
}

/** The numbers of the images at each quarter. `shareOf` maps an image to its row. */
export function positionMarks(total: number, shareOf: (index: number) => number): Mark[] {
  if (total < FEWEST_TO_MARK) return [];
  return QUARTERS.map((quarter) => Math.round(total * quarter)).map((index) => ({ name: compact(index), share: shareOf(index), named: true }));
}

/** The section this number of months on in the list (back if negative); -1 if the list ends before. */
export function monthsOn(sections: readonly Section[], day: string, months: number): number {
  const ascending = isAscending(sections);
  const [year, month] = day.split('-').map(Number);
  const moved = new Date(year ?? 0, (month ?? 1) - 1 + (ascending ? months : -months), 1);
  const wanted = `${moved.getFullYear()}-${String(moved.getMonth() + 1).padStart(2, '0')}`;
  const later = (section: Section): boolean => section.day.slice(0, 7) >= wanted;
  const earlier = (section: Section): boolean => section.day.slice(0, 7) <= wanted;
  return months > 0 ? sections.findIndex(ascending ? later : earlier) : sections.findLastIndex(ascending ? earlier : later);
}

/** The first section of a year, month or day, or the next one in the list; undefined if there is none. */
export function sectionOfDate(sections: readonly Section[], date: string): Section | undefined {
  if (!isDated(sections)) return undefined;
  const ascending = isAscending(sections);
  return sections.find(({ day }) => (ascending ? day.slice(0, date.length) >= date : day.slice(0, date.length) <= date));
}
