/** Positions of matched words in the texts of an image, with one request for all texts. */

import { get, type Highlights } from '../../api/client';

let asked = '';
let answer: Promise<Highlights> | undefined;

export function highlights(snapshot: string, uuid: string): Promise<Highlights> {
  const path = `/api/v1/snapshots/${snapshot}/highlights?uuid=${encodeURIComponent(uuid)}`;
  if (!answer || asked !== path) [asked, answer] = [path, get<Highlights>(path)];
  return answer;
}
