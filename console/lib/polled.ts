import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { generation } from './connection.ts';
import { useStore } from './store.ts';

export interface Polled<T> {
  /** What was read last; it stays while the server is away. */
  data: T | undefined;
  /** Why the last read failed. */
  error: Error | undefined;
  /** Reads now. */
  reload: () => Promise<void>;
}

/**
 * Reads something now, when the server is there again, and every `intervalMs` while the page can be seen; 0: only then.
 *
 * @param read is called anew when one of `inputs` changes
 */
export function usePolled<T>(
  read: (signal: AbortSignal) => Promise<T>,
  intervalMs: number,
  inputs: readonly unknown[] = [],
): Polled<T> {
  const [state, setState] = useState<Pick<Polled<T>, 'data' | 'error'>>({ data: undefined, error: undefined });
  const online = useStore(generation);
  const latest = useRef(read);
  latest.current = read;
  const running = useRef<AbortController | undefined>(undefined);

  const reload = useCallback(async () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    try {
      const data = await latest.current(controller.signal);
      if (!controller.signal.aborted) setState({ data, error: undefined });
    } catch (error) {
      if (!controller.signal.aborted) setState(({ data }) => ({ data, error: error as Error }));
    }
  }, []);

  // The inputs are the caller's.
  useEffect(() => {
    void reload();
    const timer = intervalMs > 0 ? setInterval(() => document.hidden || void reload(), intervalMs) : undefined;
    return () => {
      clearInterval(timer);
      running.current?.abort();
    };
  }, [reload, intervalMs, online, ...inputs]);

  return { ...state, reload };
}
