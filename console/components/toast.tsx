import { createStore, useStore } from '../lib/store.ts';
import type { Tone } from './basics.tsx';

interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

const SHOWN_MS = 6000;
const toasts = createStore<readonly Toast[]>([]);
let last = 0;

/** Says for a moment what was done, or what went wrong. */
export function say(text: string, tone: Tone = 'good'): void {
  const toast = { id: ++last, tone, text };
  toasts.set([...toasts.get().slice(-2), toast]);
  setTimeout(() => toasts.set(toasts.get().filter((each) => each !== toast)), SHOWN_MS);
}

/** Does something, and says if that fails. @returns whether it was done */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    say((error as Error).message, 'bad');
    return false;
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {useStore(toasts).map(({ id, tone, text }) => (
        <div class={`toast ${tone}`} key={id}>
          {text}
        </div>
      ))}
    </div>
  );
}
