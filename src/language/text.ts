import { fold } from '../memory/index.ts';
import type { Language } from './types.ts';

/** A word of a sentence: as written, and as it is compared. */
export interface Token {
  text: string;
  norm: string;
  isCapital: boolean;
}

/** Longest sentence that is read. */
export const MAX_SENTENCE = 2000;

const WORD =
  /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’@./_+-]*[\p{L}\p{M}\p{N}+]|[\p{L}\p{N}]|,|[\p{So}\p{Sc}%&#+](?:\u{fe0f}|\u{200d}|\p{So})*/gu;

/** English contractions that stand for two words; "'s" after anything else is a possessive. */
const CONTRACTIONS: readonly [RegExp, string][] = [
  [/\b(what|where|who|how|when|that|it|he|she|there)['’]s\b/gi, '$1 is'],
  [/\b(i)['’]m\b/gi, '$1 am'],
  [/\b(you|we|they)['’]re\b/gi, '$1 are'],
  [/\b(i|you|we|they)['’]ve\b/gi, '$1 have'],
  [/\bcan['’]?t\b/gi, 'can not'],
  [/\b(do|does|is|are|was|has|have)n['’]t\b/gi, '$1 not'],
  [/(\p{L})['’]s(?=[\s?.!,]|$)/gu, "$1 's"],
  [/(\p{L}s)['’](?=\s)/gu, "$1 's"],
];

/** The sentences of a message, with the marks that end them. */
export function sentencesOf(text: string): string[] {
  // A point ends a sentence only before white space: not in 3.14, example.com or a.m.
  return text
    .split(/(?<=[.!?…])\s+|[\n;]+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

export function tokensOf(sentence: string, language: Language): Token[] {
  let text = sentence.normalize('NFC');
  if (language === 'en') for (const [pattern, words] of CONTRACTIONS) text = text.replace(pattern, words);
  const words = text.match(/'s(?=\s|$)/) ? text.split(/('s)(?=\s|$)/) : [text];
  return words
    .flatMap((part) => (part === "'s" ? [part] : (part.match(WORD) ?? [])))
    .map((word) => ({
      text: word,
      norm: word === 'ñ' ? word : fold(word),
      isCapital: /^\p{Lu}/u.test(word),
    }));
}

export function textOf(tokens: readonly Token[]): string {
  return tokens
    .map(({ text }) => text)
    .join(' ')
    .replaceAll(' ,', ',')
    .replaceAll(" 's", "'s");
}

/** Whether tokens begin with these words. */
export function startsWith(tokens: readonly Token[], words: readonly string[], at = 0): boolean {
  return words.every((word, i) => tokens[at + i]?.norm === word);
}

/** The alternatives of a list, as word lists: "esta en|se encuentra en". */
export function phrases(list: string): string[][] {
  return list.split('|').map((phrase) => phrase.split(' '));
}

/** Whether the words of `part` stand together in `text`, whatever their case, accents and punctuation. */
export function containsWords(text: string, part: string): boolean {
  const words = (of: string) =>
    ` ${fold(of)
      .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
      .trim()} `;
  return words(text).includes(words(part));
}

const MARKS: Record<Language, RegExp> = {
  es: /[¿¡ñáéíóú]|\b(el|la|los|las|un|una|de|que|en|mi|mis|me|yo|es|soy|vive|vivo|tengo|tiene|se|su|y|donde|quien|como|cual|hola|gracias|no|le|a|olvida|recuerda)\b/giu,
  en: /\b(the|an|of|in|my|i|is|am|are|do|does|what|where|who|how|and|to|live|lives|have|has|she|he|hello|thanks|not|that|likes?|forget|remember|'s|at|for)\b/giu,
};

/** The language with more of its marks in the text; `es` in doubt. */
export function detectLanguage(text: string): Language {
  const sample = text.slice(0, MAX_SENTENCE);
  return (sample.match(MARKS.en)?.length ?? 0) > (sample.match(MARKS.es)?.length ?? 0) ? 'en' : 'es';
}
