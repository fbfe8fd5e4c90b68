/** Who or what a sentence is about. */
import type { NewFact } from '../memory/index.ts';
import { attributes, FORMS, relations } from './lexicon.ts';
import { type Token, textOf } from './text.ts';
import type { Language } from './types.ts';

/** The subject of what people say about themselves, in both languages. */
export const SELF = 'usuario';

export interface Entity {
  /** The subject as stored. */
  key: string;
  isSelf: boolean;
  /** It was called by a proper name. */
  isName: boolean;
  /** It is someone's relative, friend, pet, ... */
  isRelation: boolean;
  /** For "my phone number": the verb under which the property of the subject is stored. */
  attributeVerb?: string;
  /** What the phrase tells by itself: "my sister Lucía". */
  facts: NewFact[];
}

const STOP: Record<Language, ReadonlySet<string>> = {
  es: new Set(
    'el la los las un una unos unas lo le les me te se nos os que quien quienes cual cuales donde cuando como cuanto cuantos y e o u ni si no pero porque aunque mientras esto eso ella ellas ellos nosotros vosotros usted ustedes tu ti su sus mi mis este esta estos estas ese esa alguien nadie nada algo todo todos todas ya muy mas menos hay ha han he era fue sera por para con sin sobre en a de del al'.split(
      ' ',
    ),
  ),
  en: new Set(
    'the a an i me my mine you your he him his she her hers it its we us our they them their this that these those who whom whose which what where when why how and or nor but if because although while not no yes there here someone somebody nobody nothing something everything everyone to of in on at by for with without from as is are am was were be been being do does did has had will would can could may might shall should must'.split(
      ' ',
    ),
  ),
};
const MINE: Record<Language, ReadonlySet<string>> = { es: new Set(['mi', 'mis']), en: new Set(['my']) };
const ARTICLES: Record<Language, ReadonlySet<string>> = {
  es: new Set(['el', 'la', 'los', 'las']),
  en: new Set(['the']),
};
const OF: Record<Language, ReadonlySet<string>> = { es: new Set(['de', 'del']), en: new Set(['of']) };
/** Words inside a name: "María de la Cruz". */
const PARTICLES = new Set(['de', 'del', 'la', 'las', 'los', 'y', 'van', 'von', 'da', 'di', 'bin', 'of', 'the']);
/** Properties with a verb of their own. */
const NAMED_ATTRIBUTES: Readonly<Record<string, string>> = {
  nombre: 'se_llama',
  name: 'se_llama',
  cumpleaños: 'cumple_anos_el',
  birthday: 'cumple_anos_el',
  edad: 'tiene_edad',
  age: 'tiene_edad',
};
const LONGEST_NAME = 6;
const LONGEST_NOUN = 4;

export const SELF_ENTITY: Entity = { key: SELF, isSelf: true, isName: false, isRelation: false, facts: [] };
const other = (key: string, more: Partial<Entity> = {}): Entity => ({
  key,
  isSelf: false,
  isName: false,
  isRelation: false,
  facts: [],
  ...more,
});

/** Whether the tokens are written as a proper name. */
export function isName(tokens: readonly Token[], language: Language): boolean {
  const [first] = tokens;
  const last = tokens.at(-1);
  if (!first?.isCapital || !last || tokens.length > LONGEST_NAME) return false;
  if (STOP[language].has(first.norm) || !(last.isCapital || /^\d/.test(last.text))) return false;
  return tokens.every(({ isCapital, norm, text }) => isCapital || PARTICLES.has(norm) || /^\d/.test(text));
}

/**
 * Reads a whole noun phrase; undefined when it is not one, or when it is unclear who is meant.
 *
 * @param isAsking questions may name people in lower case
 */
export function readEntity(tokens: readonly Token[], language: Language, isAsking = false): Entity | undefined {
  const phrase = withoutCommas(tokens);
  const [first, ...rest] = phrase;
  if (!first || phrase.length > 12) return undefined;
  if (rest.length === 0 && ['yo', 'i', 'me', 'mí', 'myself'].includes(first.text.toLowerCase())) return SELF_ENTITY;
  if (language === 'en') {
    const at = phrase.findLastIndex(({ text }) => text === "'s");
    if (at > 0) {
      const owner = readEntity(phrase.slice(0, at), language, isAsking);
      return owner && !owner.attributeVerb ? readOwned(phrase.slice(at + 1), owner, language) : undefined;
    }
  }
  if (MINE[language].has(first.norm)) return readOwned(rest, SELF_ENTITY, language);
  if (ARTICLES[language].has(first.norm) && !(first.isCapital && isName(rest, language) && language === 'es')) {
    return readArticle(rest, language, isAsking);
  }
  if (isName(phrase, language)) return other(textOf(phrase), { isName: true });
  const isBare = isAsking && phrase.length <= 2 && phrase.every((token) => isPlainWord(token, language));
  return isBare ? other(textOf(phrase), { isName: true }) : undefined;
}

/** What stands after "el", "la", "the": "la hermana de Luis", "el coche". */
function readArticle(tokens: readonly Token[], language: Language, isAsking: boolean): Entity | undefined {
  if (isName(tokens, language)) return other(textOf(tokens), { isName: true });
  const at = tokens.findIndex(({ norm }) => OF[language].has(norm));
  if (at > 0) {
    const article = tokens[at]?.norm === 'del' ? [{ text: 'el', norm: 'el', isCapital: false }] : [];
    const owner = readEntity([...article, ...tokens.slice(at + 1)], language, isAsking);
    if (owner && !owner.attributeVerb) {
      const owned = readOwned(tokens.slice(0, at), owner, language);
      if (owned) return owned;
    }
  }
  return isNoun(tokens, language) ? other(nounOf(tokens)) : undefined;
}

/** What belongs to somebody: a relation, with or without its name, a property, or a thing. */
function readOwned(tokens: readonly Token[], owner: Entity, language: Language): Entity | undefined {
  const words = tokens.map(({ norm }) => norm);
  const own = (noun: string) => (owner.isSelf ? noun : `${noun} de ${owner.key}`);
  const named = NAMED_ATTRIBUTES[words.join(' ')];
  if (named) return { ...owner, attributeVerb: named };
  const attribute = attributes[language].get(words.join(' '));
  if (attribute) return { ...owner, attributeVerb: `su_${attribute.replaceAll(' ', '_')}_es` };
  for (const length of [2, 1]) {
    const noun = relations[language].get(words.slice(0, length).join(' '));
    if (!noun) continue;
    const relation = other(own(noun), { isRelation: true, facts: owner.facts });
    const name = withoutCommas(tokens.slice(length));
    if (name.length === 0) return relation;
    if (!isName(name, language)) return undefined;
    const fact = { subject: relation.key, verb: 'se_llama', object: textOf(name) };
    return { ...relation, facts: [...owner.facts, fact] };
  }
  return isNoun(tokens, language) ? other(own(nounOf(tokens)), { facts: owner.facts }) : undefined;
}

function isNoun(tokens: readonly Token[], language: Language): boolean {
  return (
    tokens.length > 0 &&
    tokens.length <= LONGEST_NOUN &&
    tokens.every((token) => isPlainWord(token, language) || token.norm === 'de')
  );
}

/** A noun as it stands inside a sentence. */
function nounOf(tokens: readonly Token[]): string {
  const text = textOf(tokens);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function isPlainWord({ norm, text }: Token, language: Language): boolean {
  return !STOP[language].has(norm) && /^[\p{L}\p{N}][\p{L}\p{M}\p{N}'’-]*$/u.test(text);
}

function withoutCommas(tokens: readonly Token[]): readonly Token[] {
  let [start, end] = [0, tokens.length];
  while (tokens[start]?.norm === ',') start++;
  while (end > start && tokens[end - 1]?.norm === ',') end--;
  return tokens.slice(start, end);
}

const OBJECT_ARTICLES: Record<Language, ReadonlySet<string>> = {
  es: new Set(['un', 'una', 'unos', 'unas', 'el', 'la', 'los', 'las', 'al']),
  en: new Set(['a', 'an', 'the', 'some']),
};
/** Words that begin another clause, or make a thing uncertain: more than these rules can read. */
const BEYOND: Record<Language, ReadonlySet<string>> = {
  es: new Set(
    'que porque cuando si aunque pero mientras donde quien cual como o u ni no me te se lo le les eso esto ella él algo nada'.split(
      ' ',
    ),
  ),
  en: new Set(
    "that because when if although but while where who which whose or nor not to than it he she they him her them this these those what something nothing 's".split(
      ' ',
    ),
  ),
};
const LONGEST_OBJECT = 12;

/**
 * Reads one object, without its article. Undefined when there is more in it than an object.
 *
 * @param keepsArticle "a nurse" stays "a nurse"
 */
export function readObject(tokens: readonly Token[], language: Language, keepsArticle = false): string | undefined {
  const phrase = withoutCommas(tokens);
  const [first] = phrase;
  if (!first || phrase.length > LONGEST_OBJECT) return undefined;
  if (phrase.some(({ text }) => BEYOND[language].has(text.toLowerCase()))) return undefined;
  const hasVerb = phrase.some(
    ({ text, isCapital }, at) => at > 0 && !isCapital && FORMS[language].has(text.toLowerCase()),
  );
  if (hasVerb) return undefined;
  const isArticle = OBJECT_ARTICLES[language].has(first.norm) && !first.isCapital;
  const bare = isArticle ? phrase.slice(1) : phrase;
  const object = keepsArticle && /^an?$/.test(first.norm) ? phrase : bare;
  const [head] = bare;
  if (!head || (bare.length === 1 && STOP[language].has(head.text.toLowerCase()) && !head.isCapital)) return undefined;
  return textOf(object);
}

/** Reads objects joined by commas and "and". */
export function readObjects(tokens: readonly Token[], language: Language, keepsArticle = false): string[] | undefined {
  const joints = language === 'es' ? [',', 'y', 'e'] : [',', 'and'];
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (joints.includes(token.norm)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const objects = parts.filter((part) => part.length > 0).map((part) => readObject(part, language, keepsArticle));
  return objects.length > 0 && objects.every((object) => object !== undefined) ? objects : undefined;
}
