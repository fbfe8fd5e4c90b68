import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Node } from './layout.ts';

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const MARGIN = 70;
const SMALLEST = 120;
const LARGEST = 20_000;

/** Moves and zooms a picture: by pointer, wheel and buttons. It begins with everything in sight, also when nodes are added. */
export function usePanZoom(nodes: readonly Node[]) {
  const svg = useRef<SVGSVGElement>(null);
  const [box, setBox] = useState<Box>({ x: 0, y: 0, width: 1, height: 1 });
  const fit = () => svg.current && setBox(around(nodes, svg.current));

  useLayoutEffect(() => void fit(), [nodes]);

  useEffect(() => {
    const element = svg.current;
    if (!element) return;
    let from: { x: number; y: number } | undefined;
    const listeners = new AbortController();
    const on = <K extends keyof SVGElementEventMap>(name: K, listener: (event: SVGElementEventMap[K]) => void) =>
      element.addEventListener(name, listener as EventListener, { signal: listeners.signal, passive: false });
    on('wheel', (event) => {
      // The page scrolls with the wheel; with Ctrl, or two fingers, the picture is zoomed.
      if (!event.ctrlKey) return;
      event.preventDefault();
      setBox((now) => zoomed(now, event.deltaY > 0 ? 1.1 : 0.9));
    });
    on('pointerdown', (event) => {
      from = { x: event.clientX, y: event.clientY };
    });
    on('pointermove', (event) => {
      if (!from || event.buttons === 0) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      from = { x: event.clientX, y: event.clientY };
      setBox((now) => {
        const scale = scaleOf(now, element);
        return { ...now, x: now.x - dx * scale, y: now.y - dy * scale };
      });
    });
    on('pointerup', () => {
      from = undefined;
    });
    return () => listeners.abort();
  }, []);

  return {
    svg,
    /** How many units of the picture a pixel is: names are drawn that much larger, so that they can be read. */
    scale: svg.current ? scaleOf(box, svg.current) : 1,
    viewBox: `${box.x} ${box.y} ${box.width} ${box.height}`,
    fit,
    /** Makes what is in sight this many times as large. */
    zoom: (factor: number) => setBox((now) => zoomed(now, factor)),
  };
}

function scaleOf({ width, height }: Box, { clientWidth, clientHeight }: Element): number {
  return Math.max(width / clientWidth, height / clientHeight);
}

function zoomed(box: Box, factor: number): Box {
  const width = Math.min(LARGEST, Math.max(SMALLEST, box.width * factor));
  const height = (box.height * width) / box.width;
  return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
}

/** All nodes in sight; few are not drawn larger for that. */
function around(nodes: readonly Node[], { clientWidth, clientHeight }: Element): Box {
  const [xs, ys] = [nodes.map(({ x }) => x), nodes.map(({ y }) => y)];
  const [left, right] = [Math.min(0, ...xs) - MARGIN, Math.max(0, ...xs) + MARGIN];
  const [top, bottom] = [Math.min(0, ...ys) - MARGIN, Math.max(0, ...ys) + MARGIN];
  const [width, height] = [Math.max(clientWidth, right - left), Math.max(clientHeight, bottom - top)];
  return { x: (left + right - width) / 2, y: (top + bottom - height) / 2, width, height };
}
