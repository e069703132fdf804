/** Filters templates by words and category. */

import type { Template } from '../../api/templates';

/** Those that contain every word, in their order. */
export function filterTemplates(templates: readonly Template[], text: string, category: string): Template[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return templates.filter((one) => {
    if (category && one.category !== category) return false;
    const whole = [one.name, one.category, one.content, one.negative].join('\n').toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}
