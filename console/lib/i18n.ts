import { en } from '../i18n/en.ts';
import { es } from '../i18n/es.ts';
import { createKeptStore } from './store.ts';

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;

const LANGUAGES: Record<'en' | 'es', Texts> = { en, es };
export type Language = keyof typeof LANGUAGES;

const isLanguage = (value: unknown): value is Language => value === 'en' || value === 'es';
const preferred = navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en';

export const language = createKeptStore<Language>('phoenix.language', localStorage, preferred, isLanguage);

/** Keeps the language of the document as it is chosen: what reads the page aloud goes by it. */
export function applyLanguage(): void {
  const apply = () => {
    document.documentElement.lang = language.get();
  };
  language.subscribe(apply);
  apply();
}

/**
 * A text in the chosen language, with `{name}` replaced by values. Of a text in the form `one | other` the number `n` chooses.
 */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const text = LANGUAGES[language.get()][key];
  const [one = text, other = one] = text.split(' | ');
  const isOne = new Intl.PluralRules(language.get()).select(Number(values.n ?? 0)) === 'one';
  return (isOne ? one : other).replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
