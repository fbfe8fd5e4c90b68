/**
 * Requests that come with Phoenix. A section `[sql draft]` has requests for these skills, `[]` those for none. One line is one request,
 * or a template for several: `{a|b}` is one of these, and a word that `NAME = ...` lists is one of those.
 */
import { randomNumbers } from '../random.ts';
import { HELDOUT_EN } from './corpus/heldout-en.ts';
import { HELDOUT_ES } from './corpus/heldout-es.ts';
import { TRAIN_EN } from './corpus/train-en.ts';
import { TRAIN_ES } from './corpus/train-es.ts';
import type { Example, Language } from './types.ts';

/** Requests of one group resemble each other: what is measured on one must not have been trained with another. */
export interface GroupedExample extends Example {
  group: string;
}

/** Most requests that one template gives. */
const PER_TEMPLATE = 10;
const SEED = 7;
/** What people say around a request, whatever it is for. */
const FILLERS = {
  es: {
    before: [
      'oye,',
      'por favor,',
      'pues',
      'bueno,',
      'a ver,',
      'mira,',
      'por cierto,',
      'resulta que',
      'hola,',
      'y',
      'ahora',
    ],
    after: ['por favor', 'gracias', '¿vale?', 'ya', '!', '...'],
  },
  en: {
    before: ['hey,', 'please', 'well,', 'so', 'okay,', 'look,', 'by the way,', 'it turns out', 'hello,', 'and', 'now'],
    after: ['please', 'thanks', 'okay?', 'now', '!', '...'],
  },
} as const satisfies Record<Language, object>;
/** Texts without sense, of each script. */
const NONSENSE = 150;
const SCRIPTS = [
  { first: 0x61, count: 26, words: 6, letters: 10 },
  { first: 0x21, count: 64, words: 4, letters: 8 },
  { first: 0x430, count: 32, words: 6, letters: 10 },
  { first: 0x3b1, count: 25, words: 6, letters: 10 },
  { first: 0x627, count: 36, words: 6, letters: 8 },
  { first: 0x4e00, count: 5000, words: 2, letters: 12 },
  { first: 0x3041, count: 86, words: 2, letters: 12 },
];

/** The examples to train with, beside those of the manifests. Always the same. */
export function trainingCorpus(): GroupedExample[] {
  return [...expand(TRAIN_ES, 'es', true), ...expand(TRAIN_EN, 'en', true), ...nonsense()];
}

/** The examples to judge a router by. Nothing is trained with them. */
export function heldOutCorpus(): Example[] {
  return [...expand(HELDOUT_ES, 'es'), ...expand(HELDOUT_EN, 'en')];
}

/** Texts of letters at random, in several scripts: whatever stands in them speaks for no skill. */
function nonsense(): GroupedExample[] {
  const random = randomNumbers(SEED);
  const upTo = (count: number) => Math.floor(random() * count);
  const examples: GroupedExample[] = [];
  for (const { first, count, words, letters } of SCRIPTS) {
    for (let n = 0; n < NONSENSE; n++) {
      const wordOf = () => {
        const repeated = n % 4 === 0 ? upTo(count) : undefined;
        const length = 1 + upTo(letters);
        return String.fromCodePoint(...Array.from({ length }, () => first + (repeated ?? upTo(count))));
      };
      const text = Array.from({ length: 1 + upTo(words) }, wordOf).join(' ');
      examples.push({ text, skills: [], group: text });
    }
  }
  return examples;
}

function expand(source: string, language: Language, isVaried = false): GroupedExample[] {
  const random = randomNumbers(SEED);
  const slots = new Map<string, string[]>();
  const examples: GroupedExample[] = [];
  let skills: string[] = [];
  for (const line of source.split('\n').filter((each) => each !== '')) {
    const [, slot, list] = /^([A-Z]+) = (.*)$/.exec(line) ?? [];
    const [, section] = /^\[([a-z -]*)\]$/.exec(line) ?? [];
    if (slot !== undefined && list !== undefined) slots.set(slot, list.split('|'));
    else if (section !== undefined) skills = section.split(' ').filter((skill) => skill !== '');
    else
      for (const text of fillIn(line, slots, random))
        examples.push({ text: isVaried ? vary(text, language, random) : text, language, skills, group: line });
  }
  return examples;
}

/** As people write: sometimes with a word before or after it, without question marks and accents, or with a slip. */
function vary(text: string, language: Language, random: () => number): string {
  const { before, after } = FILLERS[language];
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? '';
  let varied = text;
  if (random() < 0.12) varied = `${pick(before)} ${varied}`;
  if (random() < 0.08) varied = `${varied} ${pick(after)}`;
  if (random() < 0.15)
    varied = varied
      .normalize('NFD')
      .replaceAll(/[\u0301¿?]/g, '')
      .normalize('NFC');
  return random() < 0.08 ? withSlip(varied, random) : varied;
}

/** Two letters in the wrong order, or one left out. */
function withSlip(text: string, random: () => number): string {
  const at = Math.floor(random() * Math.max(0, text.length - 1));
  const [first = '', second = ''] = text.slice(at, at + 2);
  return text.slice(0, at) + (random() < 0.5 ? second + first : second) + text.slice(at + 2);
}

/** Some of the texts that a template stands for, all of them different. */
function fillIn(template: string, slots: ReadonlyMap<string, readonly string[]>, random: () => number): string[] {
  const pick = (choices: readonly string[]) => choices[Math.floor(random() * choices.length)] ?? '';
  const texts = new Set<string>();
  for (let n = 0; n < PER_TEMPLATE; n++) {
    let text = template.replaceAll(/\{([^{}]*)\}/g, (_, choices: string) => pick(choices.split('|')));
    // What fills a place may have places of its own.
    for (let n = 0; n < 2; n++) text = text.replaceAll(/\b[A-Z]{3,}\b/g, (word) => pick(slots.get(word) ?? [word]));
    texts.add(text.replaceAll(/\s+/g, ' ').trim());
  }
  return [...texts];
}
