/** Where the words of a search are in an image's texts: asked once for all of them. */

import { get, type Highlights } from '../../api/client';

let asked = '';
let answer: Promise<Highlights> | undefined;

export function highlights(snapshot: string, uuid: string): Promise<Highlights> {
  const path = `/api/queries/${snapshot}/highlights?uuid=${encodeURIComponent(uuid)}`;
  if (!answer || asked !== path) [asked, answer] = [path, get<Highlights>(path)];
  return answer;
}
