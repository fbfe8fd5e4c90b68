/** The words that nano, a model trained for the tasks of the memory, uses for facts, and how they are stored. */
import { fold, type NewFact, type Pattern, type Triple } from '../memory/index.ts';
import { SELF } from './entities.ts';
import { relations } from './lexicon.ts';
import type { Language } from './types.ts';

/** Verb as stored, in Spanish as the model says it, in English as the model says it. */
const VERBS: readonly (readonly [stored: string, es: string, en: string])[] = [
  ['vive_en', 'vive_en', 'lives_in'],
  ['trabaja_en', 'trabaja_en', 'works_at'],
  ['trabaja_de', 'trabaja_de', 'works_as'],
  ['es', 'es', 'is'],
  ['tiene', 'tiene', 'has'],
  ['le_gusta', 'le_gusta', 'likes'],
  ['nacio_en', 'nació_en', 'born_in'],
  ['es_de', 'es_de', 'is_from'],
  ['habla', 'habla', 'speaks'],
  ['estudia', 'estudia', 'studies'],
  ['estudia_en', 'estudia_en', 'studies_at'],
  ['se_llama', 'se_llama', 'named'],
  ['odia', 'odia', 'hates'],
  ['conduce', 'conduce', 'drives'],
  ['juega_a', 'juega_a', 'plays'],
  ['toca', 'toca', 'plays'],
  ['colecciona', 'colecciona', 'collects'],
  ['es_alergico_a', 'tiene_alergia_a', 'allergic_to'],
  ['cumple_anos_el', 'cumple_años_el', 'birthday_on'],
  ['tiene_edad', 'tiene_edad', 'is_aged'],
  ['esta_casado_con', 'está_casado_con', 'married_to'],
  ['es_amigo_de', 'es_amigo_de', 'friend_of'],
  ['viaja_a', 'viaja_a', 'travels_to'],
  ['quiere_visitar', 'quiere_visitar', 'wants_to_visit'],
  ['prefiere', 'prefiere', 'prefers'],
  ['cocina', 'cocina', 'cooks'],
  ['usa', 'usa', 'uses'],
  ['compro', 'compró', 'bought'],
  ['necesita', 'necesita', 'needs'],
  ['escucha', 'escucha', 'listens_to'],
  ['su_teléfono_es', 'teléfono', 'phone'],
  ['su_color_favorito_es', 'color_favorito', 'favorite_color'],
];
/** What the model calls the user. */
const USER: Record<Language, string> = { es: 'usuario', en: 'user' };

const column = (language: Language) => (language === 'es' ? 1 : 2);
/** A verb that two are said with ("plays") is read as the first of them. */
const stored = (language: Language) => new Map([...VERBS].reverse().map((row) => [row[column(language)], row[0]]));
const spoken = (language: Language) => new Map(VERBS.map((row) => [fold(row[0]), row[column(language)]]));
const STORED = { es: stored('es'), en: stored('en') };
const SPOKEN = { es: spoken('es'), en: spoken('en') };

/** The verbs that the model may use. */
export const TASK_VERBS: readonly string[] = [...STORED.es.keys(), ...STORED.en.keys()];

/** The language that a verb of the model belongs to; undefined for a verb that it does not know. */
export function languageOfVerb(verb: string): Language | undefined {
  return STORED.es.has(verb) ? 'es' : STORED.en.has(verb) ? 'en' : undefined;
}

/** A subject as it is stored, from what the model calls it; relatives are stored under their Spanish nouns. */
export function storedSubject(said: string, language: Language): string {
  if (fold(said) === USER[language]) return SELF;
  if (language === 'es') return said;
  const owned = /^(.+)['’]s (.+)$/u.exec(said);
  if (owned?.[1] && owned[2]) return `${relations.en.get(fold(owned[2])) ?? owned[2]} de ${owned[1]}`;
  return relations.en.get(fold(said)) ?? said;
}

/** What the model calls a stored subject. */
export function saidSubject(subject: string, language: Language): string {
  if (fold(subject) === SELF) return USER[language];
  if (language === 'es') return subject;
  const owned = /^(.+?) de (.+)$/u.exec(subject);
  const noun = owned?.[1] && relations.toEnglish.get(fold(owned[1]));
  if (noun) return `${owned?.[2]}'s ${noun}`;
  return relations.toEnglish.get(fold(subject)) ?? subject;
}

/** A fact or a pattern of the model, as it is stored. A verb that the model does not know is refused with `undefined`. */
export function storedPattern(
  { subject, verb, object }: Pattern,
  language: Language,
): (Pattern & Partial<NewFact>) | undefined {
  const storedVerb = verb === undefined ? undefined : STORED[language].get(verb);
  if (verb !== undefined && storedVerb === undefined) return undefined;
  return {
    ...(subject === undefined ? {} : { subject: storedSubject(subject, language) }),
    ...(storedVerb === undefined ? {} : { verb: storedVerb }),
    ...(object === undefined ? {} : { object }),
  };
}

/** A remembered fact in the words of the model; undefined when the model has no verb for it. */
export function saidFact(
  { subject, verb, object }: Pick<Triple, 'subject' | 'verb' | 'object'>,
  language: Language,
): string | undefined {
  const said = SPOKEN[language].get(fold(verb));
  // The separators of the prompt must not come from a fact.
  if (said === undefined || /[;<>]/.test(subject + object)) return undefined;
  return `${saidSubject(subject, language)} ${said} ${object}`;
}
