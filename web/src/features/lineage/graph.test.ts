import { expect, test } from 'vitest';

import type { LineageEdge, LineageNode } from '../../api/lineage';
import { Graph, NODE_HEIGHT, NODE_WIDTH } from './graph';

function node(uuid: string, layer: number): LineageNode {
  const plain = { thumb: null, color: null, width: 1, height: 1, timestamp: 0, favorite: false, rating: 0 };
  return { ...plain, uuid, layer, role: 'self', missing: false, deleted: false };
}

function edge(parent: string, child: string): LineageEdge {
  return { parent, child, relation: 'img2img', sure: true };
}

/** source → (sister, me) → (big, again): `me` has both of the last. */
const FAMILY = new Graph({
  nodes: [node('source', -1), node('sister', 0), node('me', 0), node('big', 1), node('again', 1)],
  edges: [edge('source', 'sister'), edge('source', 'me'), edge('me', 'big'), edge('me', 'again')],
});

function placeOf(graph: Graph, uuid: string): { x: number; y: number } {
  const found = graph.placed.find((one) => one.node.uuid === uuid);
  if (!found) throw new Error(`${uuid} is not drawn`);
  return found;
}

test('every edge leads from left to right, and nothing lies on anything', () => {
  for (const { parent, child } of FAMILY.ways) expect(placeOf(FAMILY, parent).x).toBeLessThan(placeOf(FAMILY, child).x);
  for (const one of FAMILY.placed) {
    for (const other of FAMILY.placed) {
      if (one === other) continue;
      const apart = Math.abs(one.x - other.x) >= NODE_WIDTH || Math.abs(one.y - other.y) >= NODE_HEIGHT;
      expect(apart, `${one.node.uuid} and ${other.node.uuid}`).toBe(true);
    }
    expect(one.x + NODE_WIDTH).toBeLessThanOrEqual(FAMILY.width);
    expect(one.y + NODE_HEIGHT).toBeLessThanOrEqual(FAMILY.height);
  }
});

test('arrows walk the edges, and the layer', () => {
  expect(FAMILY.next('me', 'left')).toBe('source');
  // Of two, the nearer one.
  expect(FAMILY.next('me', 'right')).toBe('again');
  expect(FAMILY.next('again', 'up')).toBe('big');
  expect(FAMILY.next('big', 'left')).toBe('me');
  expect(FAMILY.next('again', 'left')).toBe('me');
  expect(FAMILY.next('me', 'up')).toBe('sister');
  expect(FAMILY.next('sister', 'right')).toBeUndefined();
  expect(FAMILY.next('source', 'left')).toBeUndefined();
  expect(FAMILY.next('source', 'up')).toBeUndefined();
});

test('an image is drawn near to what it came from: lines that need not cross do not', () => {
  const graph = new Graph({
    nodes: [node('a', 0), node('b', 0), node('of-b', 1), node('of-a', 1)],
    edges: [edge('b', 'of-b'), edge('a', 'of-a')],
  });
  expect(Math.sign(placeOf(graph, 'a').y - placeOf(graph, 'b').y)).toBe(
    Math.sign(placeOf(graph, 'of-a').y - placeOf(graph, 'of-b').y),
  );
});

test('an edge to an image that is not shown is not drawn', () => {
  const graph = new Graph({ nodes: [node('me', 0)], edges: [edge('elsewhere', 'me')] });
  expect(graph.ways).toEqual([]);
  expect(new Graph({ nodes: [], edges: [] }).placed).toEqual([]);
});
