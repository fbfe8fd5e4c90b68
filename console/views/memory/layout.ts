/**
 * Where the entities of a graph stand: they repel each other, facts pull together, and all are drawn to the middle
 * (Fruchterman and Reingold, Graph Drawing by Force-directed Placement, 1991). The same graph gives the same picture.
 */
export interface Node {
  id: string;
  x: number;
  y: number;
}

export interface Edge {
  from: string;
  to: string;
  label: string;
}

/** The distance that a fact wants between its entities. */
const IDEAL = 170;
const ROUNDS = 300;
/** How much closer entities may stand above each other than beside each other: their names are wide. */
const FLATNESS = 0.8;
const GRAVITY = 0.12;
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/** Places nodes. Those that `before` knows begin where they stood, so that a picture grows instead of jumping. */
export function place(ids: readonly string[], edges: readonly Edge[], before: ReadonlyMap<string, Node>): Node[] {
  const nodes = ids.map((id, n): Node => {
    const radius = IDEAL * Math.sqrt(n) * 0.8;
    const known = before.get(id);
    return known
      ? { ...known }
      : { id, x: radius * Math.cos(n * GOLDEN_ANGLE), y: radius * Math.sin(n * GOLDEN_ANGLE) };
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const links = edges.flatMap(({ from, to }) => {
    const [a, b] = [byId.get(from), byId.get(to)];
    return a && b && a !== b ? [[a, b] as const] : [];
  });
  for (let round = 0; round < ROUNDS; round++) settle(nodes, links, (1 - round / ROUNDS) * IDEAL * 0.25);
  for (const node of nodes) node.y *= FLATNESS;
  return nodes;
}

/** Moves every node a little, by no more than `most`. */
function settle(nodes: readonly Node[], links: readonly (readonly [Node, Node])[], most: number): void {
  const moves = new Map(nodes.map((node) => [node, { x: -node.x * GRAVITY, y: -node.y * GRAVITY }]));
  const push = (a: Node, b: Node, strength: (distance: number) => number) => {
    const [dx, dy] = [a.x - b.x, a.y - b.y];
    const distance = Math.max(1, Math.hypot(dx, dy));
    const force = strength(distance) / distance;
    const [one, other] = [moves.get(a), moves.get(b)];
    if (!one || !other) return;
    one.x += dx * force;
    one.y += dy * force;
    other.x -= dx * force;
    other.y -= dy * force;
  };
  nodes.forEach((a, n) => {
    for (const b of nodes.slice(n + 1)) push(a, b, (distance) => IDEAL ** 2 / distance / 8);
  });
  for (const [a, b] of links) push(a, b, (distance) => -(distance ** 2) / IDEAL / 8);
  for (const [node, move] of moves) {
    const length = Math.max(1, Math.hypot(move.x, move.y));
    node.x += (move.x / length) * Math.min(length, most);
    node.y += (move.y / length) * Math.min(length, most);
  }
}
