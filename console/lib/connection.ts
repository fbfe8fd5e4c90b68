/** Whether the server answers. When it stops to, it is asked until it does again. */
import { createStore } from './store.ts';

export type Connection = 'online' | 'lost';

const RETRY_MS = 2000;

export const connection = createStore<Connection>('online');
/** Counts up whenever the server is there again: what was read before may be outdated. */
export const generation = createStore(0);
/** Whether the server wants a token that was not given. */
export const needsToken = createStore(false);

/** The server did not answer. */
export function connectionLost(): void {
  if (connection.get() === 'lost') return;
  connection.set('lost');
  retry();
}

function retry(): void {
  setTimeout(async () => {
    try {
      if (!(await fetch('/health')).ok) throw new Error('not ready');
      connection.set('online');
      generation.set(generation.get() + 1);
    } catch {
      retry();
    }
  }, RETRY_MS);
}
