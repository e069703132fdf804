/** Positions of the images in a lineage, and the targets of the arrow keys. */

import type { Lineage, LineageEdge, LineageNode } from '../../api/lineage';

export const NODE_WIDTH = 132;
export const NODE_HEIGHT = 156;
const COLUMN = NODE_WIDTH + 64;
const ROW = NODE_HEIGHT + 22;
const MARGIN = 24;
/** Each sweep moves images nearer to their neighbors; more sweeps change nothing visible. */
const SWEEPS = 4;

export interface Placed {
  node: LineageNode;
  x: number;
  y: number;
}

export interface Way extends LineageEdge {
  path: string;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Layers from left to right; within a layer, images are near their sources. */
export class Graph {
  readonly placed: Placed[];
  readonly ways: Way[];
  readonly width: number;
  readonly height: number;
  private readonly columns: string[][];
  private readonly parents = new Map<string, string[]>();
  private readonly children = new Map<string, string[]>();
  private readonly at = new Map<string, Placed>();

  constructor(lineage: Pick<Lineage, 'nodes' | 'edges'>) {
    for (const { parent, child } of lineage.edges) {
      this.parents.set(child, [...(this.parents.get(child) ?? []), parent]);
      this.children.set(parent, [...(this.children.get(parent) ?? []), child]);
    }
    this.columns = this.orderLayer(columnsOf(lineage.nodes));
    const tallest = Math.max(0, ...this.columns.map((column) => column.length));
    this.width = MARGIN * 2 + Math.max(0, this.columns.length - 1) * COLUMN + NODE_WIDTH;
    this.height = MARGIN * 2 + Math.max(0, tallest - 1) * ROW + NODE_HEIGHT;
    const nodes = new Map(lineage.nodes.map((node) => [node.uuid, node]));
    this.columns.forEach((column, layer) => {
      const top = MARGIN + ((tallest - column.length) * ROW) / 2;
      column.forEach((uuid, row) => {
        const node = nodes.get(uuid);
        if (node) this.at.set(uuid, { node, x: MARGIN + layer * COLUMN, y: top + row * ROW });
      });
    });
    this.placed = [...this.at.values()];
    this.ways = lineage.edges.flatMap((edge) => {
      const [from, to] = [this.at.get(edge.parent), this.at.get(edge.child)];
      return from && to ? [{ ...edge, path: curve(from, to) }] : [];
    });
  }

  /** The target of an arrow key: along an edge to the left and right, within the layer up and down. */
  next(uuid: string, direction: Direction): string | undefined {
    if (direction === 'left') return this.nearest(uuid, this.parents.get(uuid));
    if (direction === 'right') return this.nearest(uuid, this.children.get(uuid));
    const column = this.columns.find((one) => one.includes(uuid)) ?? [];
    return column[column.indexOf(uuid) + (direction === 'up' ? -1 : 1)];
  }

  /** The edges that lead to an image. */
  into(uuid: string): Way[] {
    return this.ways.filter((way) => way.child === uuid);
  }

  private nearest(uuid: string, others: readonly string[] = []): string | undefined {
    const y = this.at.get(uuid)?.y ?? 0;
    const away = (other: string): number => Math.abs((this.at.get(other)?.y ?? Infinity) - y);
    return [...others].sort((one, other) => away(one) - away(other))[0];
  }

  /** Alternates from the left and from the right: each image at the mean of its neighbors. */
  private orderLayer(columns: string[][]): string[][] {
    const row = new Map<string, number>();
    const number = (column: string[]): void =>
      column.forEach((uuid, index) => row.set(uuid, index - (column.length - 1) / 2));
    columns.forEach(number);
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const joined = sweep % 2 ? this.children : this.parents;
      for (const column of sweep % 2 ? [...columns].reverse() : columns) {
        const wanted = new Map(column.map((uuid) => [uuid, mean(joined.get(uuid), row) ?? row.get(uuid) ?? 0]));
        column.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0));
        number(column);
      }
    }
    return columns;
  }
}

function columnsOf(nodes: readonly LineageNode[]): string[][] {
  const layers = [...new Set(nodes.map((node) => node.layer))].sort((one, other) => one - other);
  return layers.map((layer) => nodes.filter((node) => node.layer === layer).map((node) => node.uuid));
}

function mean(uuids: readonly string[] | undefined, row: ReadonlyMap<string, number>): number | undefined {
  const rows = (uuids ?? []).flatMap((uuid) => row.get(uuid) ?? []);
  return rows.length ? rows.reduce((sum, one) => sum + one, 0) / rows.length : undefined;
}

function curve(from: Placed, to: Placed): string {
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_WIDTH / 2];
  const [x2, y2] = [to.x, to.y + NODE_WIDTH / 2];
  const bend = Math.max(36, (x2 - x1) / 2);
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
