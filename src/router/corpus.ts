/**
 * Requests that come with Phoenix. A section `[sql draft]` has requests for these skills, `[]` those for none. One line is one request,
 * or a template for several: `{a|b}` is one of these, and a word that `NAME = ...` lists is one of those.
 */
import { HELDOUT_EN } from './corpus/heldout-en.ts';
import { HELDOUT_ES } from './corpus/heldout-es.ts';
import { TRAIN_EN } from './corpus/train-en.ts';
import { TRAIN_ES } from './corpus/train-es.ts';
import { randomOf } from './train.ts';
import type { Example, Language } from './types.ts';

/** Requests of one group resemble each other: what is measured on one must not have been trained with another. */
export interface GroupedExample extends Example {
  group: string;
}

/** Most requests that one template gives. */
const PER_TEMPLATE = 6;
const SEED = 7;
/** Texts without sense, of each script. */
const NONSENSE = 40;
const SCRIPTS = [
  { first: 0x61, count: 26, words: 6, letters: 10 },
  { first: 0x21, count: 64, words: 4, letters: 8 },
  { first: 0x430, count: 32, words: 6, letters: 10 },
  { first: 0x3b1, count: 25, words: 6, letters: 10 },
  { first: 0x627, count: 36, words: 6, letters: 8 },
  { first: 0x4e00, count: 5000, words: 2, letters: 12 },
  { first: 0x3041, count: 86, words: 2, letters: 12 },
  { first: 0x1f600, count: 80, words: 3, letters: 4 },
];

/** The examples to train with, beside those of the manifests. Always the same. */
export function trainingCorpus(): GroupedExample[] {
  return [...expand(TRAIN_ES, 'es'), ...expand(TRAIN_EN, 'en'), ...nonsense()];
}

/** The examples to judge a router by. Nothing is trained with them. */
export function heldOutCorpus(): Example[] {
  return [...expand(HELDOUT_ES, 'es'), ...expand(HELDOUT_EN, 'en')];
}

/** Texts of letters at random, in several scripts: whatever stands in them speaks for no skill. */
function nonsense(): GroupedExample[] {
  const random = randomOf(SEED);
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

function expand(source: string, language: Language): GroupedExample[] {
  const random = randomOf(SEED);
  const slots = new Map<string, string[]>();
  const examples: GroupedExample[] = [];
  let skills: string[] = [];
  for (const line of source.split('\n').filter((each) => each !== '')) {
    const [, slot, list] = /^([A-Z]+) = (.*)$/.exec(line) ?? [];
    const [, section] = /^\[([a-z -]*)\]$/.exec(line) ?? [];
    if (slot !== undefined && list !== undefined) slots.set(slot, list.split('|'));
    else if (section !== undefined) skills = section.split(' ').filter((skill) => skill !== '');
    else for (const text of fillIn(line, slots, random)) examples.push({ text, language, skills, group: line });
  }
  return examples;
}

/** Some of the texts that a template stands for, all of them different. */
function fillIn(template: string, slots: ReadonlyMap<string, readonly string[]>, random: () => number): string[] {
  const pick = (choices: readonly string[]) => choices[Math.floor(random() * choices.length)] ?? '';
  const texts = new Set<string>();
  for (let n = 0; n < PER_TEMPLATE; n++) {
    const text = template.replaceAll(/\{([^{}]*)\}/g, (_, choices: string) => pick(choices.split('|')));
    const filled = text.replaceAll(/\b[A-Z]{3,}\b/g, (word) => pick(slots.get(word) ?? [word]));
    texts.add(filled.replaceAll(/\s+/g, ' ').trim());
  }
  return [...texts];
}
