/** Which view is shown: what stands after `#/` in the address. */
import { createStore } from './store.ts';

export const VIEWS = ['chat', 'skills', 'memory', 'metrics', 'router', 'privacy'] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  /** What comes after the name of the view, for example the name of a skill. */
  rest: string;
}

export const route = createStore(parse(location.hash));

window.addEventListener('hashchange', () => route.set(parse(location.hash)));

/** The address of a view. */
export function address(view: View, rest = ''): string {
  return `#/${view}${rest && `/${encodeURIComponent(rest)}`}`;
}

export function goTo(view: View, rest = ''): void {
  location.hash = address(view, rest);
}

function parse(hash: string): Route {
  const [name = '', ...rest] = hash.replace(/^#\/?/, '').split('/');
  const view = VIEWS.find((each) => each === name) ?? 'chat';
  try {
    return { view, rest: decodeURIComponent(rest.join('/')) };
  } catch {
    return { view, rest: '' };
  }
}
