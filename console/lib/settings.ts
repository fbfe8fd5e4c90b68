/** Light or dark, as the system or the user wants it. */
import { createKeptStore } from './store.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

export const theme = createKeptStore<Theme>('phoenix.theme', localStorage, 'auto', isTheme);

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark now. */
export function isDark(): boolean {
  return theme.get() === 'auto' ? systemIsDark.matches : theme.get() === 'dark';
}

/** Keeps the page in its theme. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  };
  theme.subscribe(apply);
  systemIsDark.addEventListener('change', apply);
  apply();
}

export function nextTheme(): void {
  theme.set(isDark() ? 'light' : 'dark');
}
