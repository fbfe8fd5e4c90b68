/** Reads one sentence that tells something. */
import type { NewFact, Pattern } from '../memory/index.ts';
import { type Entity, isName, readEntity, readObject, readObjects, SELF_ENTITY } from './entities.ts';
import { FORMS, type Form, PLEASING } from './lexicon.ts';
import { phrases, startsWith, type Token, textOf } from './text.ts';
import type { Language } from './types.ts';

export interface Clause {
  facts: NewFact[];
  retract: Pattern[];
}

/** A clause and who it is about, for the one that follows it. */
interface ReadClause extends Clause {
  subject: Entity;
}

const ADVERBS: Record<Language, ReadonlySet<string>> = {
  es: new Set('ahora actualmente tambien todavia aun realmente siempre'.split(' ')),
  en: new Set('now currently also still really always actually'.split(' ')),
};
const NEGATIONS: Record<Language, string[][]> = {
  es: phrases('ya no|no|nunca|tampoco'),
  en: phrases('do not|does not|no longer|never'),
};
const JOINTS: Record<Language, ReadonlySet<string>> = {
  es: new Set(['y', 'e', 'pero', ',']),
  en: new Set(['and', 'but', ',']),
};
/** With more of them a sentence is read as one clause: every one doubles the ways to divide it. */
const MAX_JOINTS = 8;
/** Their objects may contain "and" and commas: "Madrid, Spain". */
const ONE_OBJECT = new Set([
  'vive_en',
  'trabaja_en',
  'estudia_en',
  'nacio_en',
  'nacio_el',
  'cumple_anos_el',
  'es_de',
  'esta_en',
  'esta_casado_con',
  'se_llama',
]);
/** "Tengo hambre" is true for an hour. */
const PASSING = new Set(
  'hambre sed sueño frio calor miedo prisa ganas razon dolor cita hungry thirsty tired cold hot sleepy fine ok bien mal cansado cansada'.split(
    ' ',
  ),
);
const NAMED: Record<Language, string[][]> = {
  es: phrases('que se llama|llamado|llamada'),
  en: phrases('called|named'),
};

/** Reads a statement of one or several clauses; undefined unless all of it is understood. */
export function readStatement(tokens: readonly Token[], language: Language): Clause | undefined {
  const words = tokens.filter(({ norm }) => !ADVERBS[language].has(norm));
  return readClauses(words, language, undefined);
}

function readClauses(tokens: readonly Token[], language: Language, before: Entity | undefined): ReadClause | undefined {
  const joints = tokens.filter(({ norm }) => JOINTS[language].has(norm)).length;
  for (let at = 1; at < tokens.length - 1 && joints <= MAX_JOINTS; at++) {
    const token = tokens[at];
    if (!token || !JOINTS[language].has(token.norm)) continue;
    const left = readClause(tokens.slice(0, at), language, before);
    const next = tokens[at + 1];
    const from = token.norm === ',' && next && JOINTS[language].has(next.norm) ? at + 2 : at + 1;
    const right = left && readClauses(tokens.slice(from), language, left.subject);
    if (left && right) {
      return { ...right, facts: [...left.facts, ...right.facts], retract: [...left.retract, ...right.retract] };
    }
  }
  return readClause(tokens, language, before);
}

function readClause(all: readonly Token[], language: Language, before: Entity | undefined): ReadClause | undefined {
  const negation = takeNegation(all, language);
  const pleasing = language === 'es' ? readPleasing(negation.tokens, before) : undefined;
  if (pleasing) return toClause(pleasing.subject, pleasing.verb, pleasing.objects, negation.at !== undefined);
  const { tokens, at: negatedAt } = negation;
  for (let at = 0; at < tokens.length; at++) {
    for (const form of FORMS[language].get(tokens[at]?.norm ?? '') ?? []) {
      if (!startsWith(tokens, form.words, at) || (negatedAt !== undefined && negatedAt !== at)) continue;
      const subject = readSubject(tokens.slice(0, at), form, language, before, negation.isAuxiliary);
      if (!subject) continue;
      const clause = readPredicate(
        subject,
        form,
        tokens.slice(at + form.words.length),
        language,
        negation.at !== undefined,
      );
      if (clause) return clause;
    }
  }
  return undefined;
}

/** Takes the words of a negation out; `at` is where they stood. */
function takeNegation(
  tokens: readonly Token[],
  language: Language,
): { tokens: readonly Token[]; at: number | undefined; isAuxiliary: boolean } {
  for (let at = 0; at < tokens.length; at++) {
    const words = NEGATIONS[language].find((phrase) => startsWith(tokens, phrase, at));
    if (words) {
      const isAuxiliary = words[0] === 'do' || words[0] === 'does';
      return { tokens: [...tokens.slice(0, at), ...tokens.slice(at + words.length)], at, isAuxiliary };
    }
    const isCopula =
      language === 'en' && ['is', 'am', 'are'].includes(tokens[at]?.norm ?? '') && tokens[at + 1]?.norm === 'not';
    if (isCopula) return { tokens: [...tokens.slice(0, at + 1), ...tokens.slice(at + 2)], at, isAuxiliary: false };
  }
  return { tokens, at: undefined, isAuxiliary: false };
}

function readSubject(
  tokens: readonly Token[],
  form: Form,
  language: Language,
  before: Entity | undefined,
  isAuxiliary: boolean,
): Entity | undefined {
  if (tokens.length === 0) {
    if (language === 'es' && form.person === 'first') return SELF_ENTITY;
    const agrees = before && (before.isSelf ? form.person !== 'third' : form.person !== 'first');
    return agrees ? { ...before, facts: [] } : undefined;
  }
  const subject = readEntity(tokens, language);
  if (
    !subject ||
    (subject.isSelf &&
      subject.attributeVerb === undefined &&
      form.person === 'third' &&
      form.entry.en?.startsWith('was') !== true)
  ) {
    return undefined;
  }
  if (language === 'es')
    return (form.person === 'first') === (subject.isSelf && !subject.attributeVerb) ? subject : undefined;
  const isPlural = /s$|children$/.test(tokens.at(-1)?.norm ?? '');
  const isBase = form.person === 'base';
  if (isBase && ['am'].includes(form.words[0] ?? '')) return subject.isSelf ? subject : undefined;
  return !isBase || subject.isSelf || isPlural || isAuxiliary ? subject : undefined;
}

/** "Me gusta el té", "a Ana le gusta el té". */
function readPleasing(
  tokens: readonly Token[],
  before: Entity | undefined,
): { subject: Entity; verb: string; objects: string[] } | undefined {
  const at = tokens.findIndex(({ norm }) => norm in PLEASING);
  const clitic = tokens[at - 1]?.norm ?? '';
  const verb = PLEASING[tokens[at]?.norm ?? ''];
  if (at < 1 || !verb || !['me', 'le', 'les'].includes(clitic)) return undefined;
  const [link, ...phrase] = tokens.slice(0, at - 1);
  const named =
    link?.norm === 'a'
      ? readEntity(phrase, 'es')
      : link?.norm === 'al'
        ? readEntity([{ ...link, norm: 'el' }, ...phrase], 'es')
        : undefined;
  const subject = link ? named : clitic === 'me' ? SELF_ENTITY : before;
  if (!subject || subject.attributeVerb || subject.isSelf !== (clitic === 'me')) return undefined;
  const objects = readObjects(tokens.slice(at + 1), 'es');
  return objects && { subject, verb, objects };
}

function readPredicate(
  subject: Entity,
  form: Form,
  rest: readonly Token[],
  language: Language,
  isNegated: boolean,
): ReadClause | undefined {
  const { verb } = form.entry;
  const make = (objects: string[] | undefined, as = verb, about = subject) =>
    objects && toClause(about, as, objects, isNegated);
  const one = () => {
    const object = readObject(rest, language);
    return object === undefined ? undefined : [object];
  };
  if (subject.attributeVerb) return verb === 'es' ? make(one(), subject.attributeVerb) : undefined;
  const words = rest.map(({ norm }) => norm);
  if (words.some((word) => PASSING.has(word))) return undefined;
  const age = /^(\d{1,3})(?: (?:años|years old))?$/.exec(words.join(' '))?.[1];
  const saysAge = language === 'es' ? verb === 'tiene' && words[1] === 'años' : verb === 'es';
  if (age !== undefined && saysAge) return make([age], 'tiene_edad');
  if (verb === 'tiene') return readPossession(subject, rest, language, isNegated) ?? make(readObjects(rest, language));
  if (verb === 'es') return readBeing(subject, rest, language, isNegated) ?? make(readObjects(rest, language, true));
  return make(ONE_OBJECT.has(verb) ? one() : readObjects(rest, language));
}

/** "Tengo un perro que se llama Toby": two facts. */
function readPossession(
  subject: Entity,
  rest: readonly Token[],
  language: Language,
  isNegated: boolean,
): ReadClause | undefined {
  for (let at = 1; at < rest.length; at++) {
    const words = NAMED[language].find((phrase) => startsWith(rest, phrase, at));
    if (!words) continue;
    const name = rest.slice(at + words.length);
    const thing = readObject(rest.slice(0, at), language);
    if (thing === undefined || !isName(name, language) || isNegated) return undefined;
    const owned = readEntity(
      [{ text: 'mi', norm: language === 'es' ? 'mi' : 'my', isCapital: false }, ...rest.slice(1, at)],
      language,
    );
    const clause = toClause(subject, 'tiene', [thing], false);
    const key = owned?.key ?? thing;
    clause.facts.push({
      subject: subject.isSelf ? key : `${key} de ${subject.key}`,
      verb: 'se_llama',
      object: textOf(name),
    });
    return clause;
  }
  return undefined;
}

/** "Lucía es mi hermana" and "mi hermana es Lucía" tell a name. */
function readBeing(
  subject: Entity,
  rest: readonly Token[],
  language: Language,
  isNegated: boolean,
): ReadClause | undefined {
  if (language === 'en' && rest.length > 1 && /ing$/.test(rest[0]?.norm ?? '')) return undefined;
  const other = readEntity(rest, language);
  if (subject.isName && other?.isRelation && other.facts.length === 0)
    return toClause(other, 'se_llama', [subject.key], isNegated);
  if (subject.isRelation && isName(rest, language)) return toClause(subject, 'se_llama', [textOf(rest)], isNegated);
  return undefined;
}

function toClause(subject: Entity, verb: string, objects: readonly string[], isNegated: boolean): ReadClause {
  const facts = objects.map((object) => ({ subject: subject.key, verb, object }));
  return isNegated
    ? { subject, facts: subject.facts, retract: facts }
    : { subject, facts: [...subject.facts, ...facts], retract: [] };
}
