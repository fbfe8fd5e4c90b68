import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Button } from '../../components/basics.tsx';
import { t } from '../../lib/i18n.ts';
import { address, goTo } from '../../lib/route.ts';
import type { Triple } from '../../lib/types.ts';
import { FactList } from './fact-list.tsx';
import { recall, spoken } from './facts.ts';
import { type Edge, type Node, place } from './layout.ts';
import { usePanZoom } from './pan-zoom.ts';

/** Entities that are drawn at once. */
const MOST_NODES = 80;
/** Facts of one entity that are drawn. */
const NEIGHBOURS = 30;
const LONGEST_LABEL = 22;
const MOST_ENLARGED = 2.2;

interface GraphViewProps {
  triples: readonly Triple[];
  /** The entity that is looked at; empty: none. */
  start: string;
}

/** Facts as a graph of entities: choose one to walk on from it. */
export function GraphView({ triples, start }: GraphViewProps) {
  const [walked, setWalked] = useState<readonly Triple[]>([]);
  // What is known may have changed.
  useEffect(() => {
    if (start === '') return;
    const controller = new AbortController();
    neighbours(start, controller.signal)
      .then((found) => setWalked((before) => merge(before, found)))
      .catch(() => undefined);
    return () => controller.abort();
  }, [start, triples]);

  const shown = useMemo(() => choose(merge(walked, triples), start), [walked, triples, start]);
  const ofStart = shown.filter(({ subject, object }) => same(subject, start) || same(object, start));
  return (
    <div class="graph">
      <Picture triples={shown} start={start} />
      <aside class="card graph-side">
        {start === '' ? (
          <p class="muted">{t('graph.hint')}</p>
        ) : (
          <>
            <h2>{start}</h2>
            {ofStart.length === 0 ? <p class="muted">{t('graph.nothing')}</p> : <FactList facts={ofStart} />}
            <Button kind="quiet" icon="back" onClick={() => goTo('memory')}>
              {t('graph.all')}
            </Button>
          </>
        )}
      </aside>
    </div>
  );
}

function Picture({ triples, start }: { triples: readonly Triple[]; start: string }) {
  const before = useRef<ReadonlyMap<string, Node>>(new Map());
  // What is read again and is the same stays where it is.
  const content = triples.map(keyOf).join('\n\n');
  const { nodes, edges } = useMemo(() => {
    const drawn = toEdges(triples);
    const ids = [...new Set(drawn.flatMap(({ from, to }) => [from, to]))];
    return { nodes: place(ids, drawn, before.current), edges: drawn };
  }, [content]);
  before.current = new Map(nodes.map((node) => [node.id, node]));
  const { svg, viewBox, scale, zoom, fit } = usePanZoom(nodes);
  // Names stay readable far away, and do not cover each other when all is near.
  const size = Math.min(MOST_ENLARGED, Math.max(1, scale));
  const chosen = fold(start);
  return (
    <div class="graph-box">
      <svg ref={svg} viewBox={viewBox} style={{ '--size': String(size) }} role="group" aria-label={t('memory.graph')}>
        {edges.map(({ from, to, label }) => {
          const [a, b] = [before.current.get(from), before.current.get(to)];
          if (!a || !b) return null;
          const isNear = from === chosen || to === chosen;
          return (
            <g class={isNear ? 'edge near' : 'edge'} key={`${from}\n${label}\n${to}`}>
              <line x1={a.x} y1={a.y} x2={b.x} y2={b.y} />
              <text x={(a.x + b.x) / 2} y={(a.y + b.y) / 2 - 4}>
                {clip(label)}
              </text>
            </g>
          );
        })}
        {nodes.map(({ id, x, y }) => {
          const name = nameOf(id, triples);
          return (
            <a class={id === chosen ? 'node chosen' : 'node'} href={address('memory', name)} key={id} aria-label={name}>
              <circle class="reach" cx={x} cy={y + 8} r="24" />
              <circle cx={x} cy={y} r={(id === chosen ? 10 : 7) * size} />
              <text x={x} y={y + 24 * size}>
                {clip(name)}
              </text>
            </a>
          );
        })}
      </svg>
      <div class="graph-tools">
        <Button icon="plus" label={t('graph.in')} onClick={() => zoom(0.8)} />
        <Button label={t('graph.out')} onClick={() => zoom(1.25)}>
          −
        </Button>
        <Button onClick={fit}>{t('graph.fit')}</Button>
      </div>
    </div>
  );
}

async function neighbours(entity: string, signal: AbortSignal): Promise<Triple[]> {
  const pages = await Promise.all([
    recall({ subject: entity, limit: NEIGHBOURS }, signal),
    recall({ object: entity, limit: NEIGHBOURS }, signal),
  ]);
  return pages.flatMap(({ triples }) => triples);
}

/** As the memory matches names, roughly: good enough to see that two are the same. */
function fold(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[\s_]+/g, ' ')
    .trim();
}

function same(a: string, b: string): boolean {
  return fold(a) === fold(b);
}

const keyOf = ({ subject, verb, object }: Triple) => [subject, verb, object].map(fold).join('\n');

function merge(before: readonly Triple[], more: readonly Triple[]): Triple[] {
  return [...new Map([...before, ...more].map((triple) => [keyOf(triple), triple])).values()];
}

/** The facts that are drawn: those around the chosen entity first, up to so many entities. */
function choose(triples: readonly Triple[], start: string): Triple[] {
  const isNear = ({ subject, object }: Triple) => same(subject, start) || same(object, start);
  const entities = new Set<string>();
  return [...triples.filter(isNear), ...triples.filter((triple) => !isNear(triple))].filter(({ subject, object }) => {
    const fresh = [fold(subject), fold(object)].filter((id) => !entities.has(id));
    if (entities.size + fresh.length > MOST_NODES) return false;
    for (const id of fresh) entities.add(id);
    return true;
  });
}

function toEdges(triples: readonly Triple[]): Edge[] {
  return triples.map(({ subject, verb, object }) => ({ from: fold(subject), to: fold(object), label: spoken(verb) }));
}

function nameOf(id: string, triples: readonly Triple[]): string {
  for (const { subject, object } of triples) {
    if (fold(subject) === id) return subject;
    if (fold(object) === id) return object;
  }
  return id;
}

function clip(text: string): string {
  return text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL - 1)}…` : text;
}
