/** The verbs and nouns that the rules know. A verb is stored under its Spanish name whatever the language it was told in. */
import { fold } from '../memory/index.ts';
import type { Language } from './types.ts';

export interface VerbEntry {
  /** As stored. */
  verb: string;
  /** First person, third person, third person plural, second person; alternatives for what follows after `+`. */
  es?: string;
  /** Base form, third person; alternatives for what follows after `+`. The second person is the base form. */
  en?: string;
  /** Question words that ask for the object. */
  asks?: string;
}

/** Verbs with a subject before and an object after them. */
export const VERBS: readonly VerbEntry[] = [
  { verb: 'vive_en', es: 'vivo/vive/viven/vives+en', en: 'live/lives+in|at|on', asks: 'donde where' },
  {
    verb: 'trabaja_en',
    es: 'trabajo/trabaja/trabajan/trabajas+en|para',
    en: 'work/works+at|in|for',
    asks: 'donde where',
  },
  { verb: 'trabaja_de', es: 'trabajo/trabaja/trabajan/trabajas+de|como', en: 'work/works+as' },
  { verb: 'estudia_en', es: 'estudio/estudia/estudian/estudias+en', en: 'study/studies+at|in', asks: 'donde where' },
  { verb: 'estudia', es: 'estudio/estudia/estudian/estudias', en: 'study/studies' },
  { verb: 'nacio_en', es: 'nací/nació/nacieron/naciste+en', en: 'was born/was born+in', asks: 'donde where' },
  { verb: 'nacio_el', es: 'nací/nació/nacieron/naciste+el', en: 'was born/was born+on', asks: 'cuando when' },
  { verb: 'cumple_anos_el', es: 'cumplo años/cumple años/cumplen años/cumples años+el|en', asks: 'cuando when' },
  {
    verb: 'se_llama',
    es: 'me llamo/se llama/se llaman/te llamas',
    en: 'am called/is called|is named/are called',
    asks: 'como',
  },
  { verb: 'tiene', es: 'tengo/tiene/tienen/tienes', en: 'have/has' },
  { verb: 'habla', es: 'hablo/habla/hablan/hablas', en: 'speak/speaks' },
  { verb: 'juega_a', es: 'juego/juega/juegan/juegas+a|al', en: 'play/plays', asks: 'que what' },
  { verb: 'toca', es: 'toco/toca/tocan/tocas' },
  { verb: 'come', es: 'como/come/comen/comes', en: 'eat/eats' },
  { verb: 'bebe', es: 'bebo/bebe/beben/bebes', en: 'drink/drinks' },
  { verb: 'usa', es: 'uso/usa/usan/usas', en: 'use/uses' },
  { verb: 'prefiere', es: 'prefiero/prefiere/prefieren/prefieres', en: 'prefer/prefers' },
  { verb: 'odia', es: 'odio/odia/odian/odias', en: 'hate/hates' },
  { verb: 'necesita', es: 'necesito/necesita/necesitan/necesitas', en: 'need/needs' },
  { verb: 'conduce', es: 'conduzco/conduce/conducen/conduces', en: 'drive/drives' },
  { verb: 'colecciona', es: 'colecciono/colecciona/coleccionan/coleccionas', en: 'collect/collects' },
  { verb: 'le_gusta', en: 'like/likes' },
  { verb: 'le_encanta', en: 'love/loves' },
  {
    verb: 'esta_casado_con',
    es: 'estoy casado con|estoy casada con/está casado con|está casada con/-/estás casado con',
    en: 'am married to/is married to/are married to',
  },
  {
    verb: 'es_alergico_a',
    es: 'tengo alergia|soy alérgico|soy alérgica/tiene alergia|es alérgico|es alérgica/tienen alergia|son alérgicos/tienes alergia+a|al',
    en: 'am allergic to/is allergic to/are allergic to',
  },
  { verb: 'es_de', es: 'soy/es/son/eres+de', en: 'am from/is from/are from' },
  { verb: 'esta_en', es: 'estoy/está/están/estás+en', en: 'am in|am at/is in|is at/are in|are at', asks: 'donde' },
  { verb: 'es', es: 'soy/es/son/eres', en: 'am/is/are' },
];

/** Spanish verbs whose subject is what pleases: "a Ana le gusta el té". */
export const PLEASING: Readonly<Record<string, string>> = {
  gusta: 'le_gusta',
  gustan: 'le_gusta',
  encanta: 'le_encanta',
  encantan: 'le_encanta',
};

/** People and animals that belong to someone: the Spanish noun under which facts are stored, and the English one. */
const RELATIONS: readonly (readonly [string, string])[] = [
  ['hermana', 'sister'],
  ['hermano', 'brother'],
  ['madre', 'mother'],
  ['padre', 'father'],
  ['mamá', 'mom'],
  ['papá', 'dad'],
  ['hija', 'daughter'],
  ['hijo', 'son'],
  ['abuela', 'grandmother'],
  ['abuelo', 'grandfather'],
  ['tía', 'aunt'],
  ['tío', 'uncle'],
  ['esposa', 'wife'],
  ['marido', 'husband'],
  ['novia', 'girlfriend'],
  ['novio', 'boyfriend'],
  ['pareja', 'partner'],
  ['suegra', 'mother-in-law'],
  ['suegro', 'father-in-law'],
  ['nieta', 'granddaughter'],
  ['nieto', 'grandson'],
  ['sobrina', 'niece'],
  ['sobrino', 'nephew'],
  ['cuñada', 'sister-in-law'],
  ['cuñado', 'brother-in-law'],
  ['padres', 'parents'],
  ['hermanos', 'siblings'],
  ['hijos', 'children'],
  ['abuelos', 'grandparents'],
  ['mejor amigo', 'best friend'],
  ['vecino', 'neighbour'],
  ['jefe', 'boss'],
  ['médico', 'doctor'],
  ['profesor', 'teacher'],
  ['compañero', 'colleague'],
  ['perro', 'dog'],
  ['gato', 'cat'],
  ['caballo', 'horse'],
  ['loro', 'parrot'],
  ['mascota', 'pet'],
  ['bebé', 'baby'],
];
/** Spanish nouns with no English counterpart of their own. */
const SPANISH_ONLY = [
  'prima',
  'primo',
  'amiga',
  'amigo',
  'mejor amiga',
  'jefa',
  'médica',
  'profesora',
  'vecina',
  'perra',
  'gata',
  'compañera',
  'mujer',
  'esposo',
];
const ENGLISH_ONLY: readonly (readonly [string, string])[] = [
  ['cousin', 'primo'],
  ['friend', 'amigo'],
  ['mum', 'mamá'],
  ['neighbor', 'vecino'],
  ['coworker', 'compañero'],
  ['grandma', 'abuela'],
  ['grandpa', 'abuelo'],
  ['kids', 'hijos'],
];

/** Properties that someone has one of. */
const ATTRIBUTES: readonly (readonly [string, string])[] = [
  ['teléfono', 'phone'],
  ['correo', 'email'],
  ['dirección', 'address'],
  ['profesión', 'profession'],
  ['signo', 'zodiac sign'],
  ['talla', 'size'],
  ['matrícula', 'license plate'],
  ['color favorito', 'favorite color'],
  ['comida favorita', 'favorite food'],
  ['bebida favorita', 'favorite drink'],
  ['película favorita', 'favorite movie'],
  ['libro favorito', 'favorite book'],
  ['canción favorita', 'favorite song'],
  ['deporte favorito', 'favorite sport'],
  ['equipo favorito', 'favorite team'],
  ['animal favorito', 'favorite animal'],
];
const ATTRIBUTES_ENGLISH_ONLY: readonly (readonly [string, string])[] = [
  ['favourite color', 'color favorito'],
  ['favourite colour', 'color favorito'],
  ['favorite colour', 'color favorito'],
  ['favourite food', 'comida favorita'],
  ['favourite drink', 'bebida favorita'],
  ['favourite book', 'libro favorito'],
  ['favourite film', 'película favorita'],
  ['favourite movie', 'película favorita'],
  ['job', 'profesión'],
  ['favourite song', 'canción favorita'],
  ['favourite sport', 'deporte favorito'],
  ['telephone', 'teléfono'],
  ['phone number', 'teléfono'],
  ['favourite team', 'equipo favorito'],
  ['favourite animal', 'animal favorito'],
  ['email address', 'correo'],
];

const dictionary = (
  pairs: readonly (readonly [string, string])[],
  englishOnly: readonly (readonly [string, string])[],
  spanishOnly: readonly (readonly [string, string])[] = [],
) => ({
  es: new Map([
    ...pairs.map(([es]) => [fold(es), es] as const),
    ...spanishOnly.map(([said, es]) => [fold(said), es] as const),
  ]),
  en: new Map([...pairs.map(([es, en]) => [en, es] as const), ...englishOnly]),
  toEnglish: new Map(pairs.map(([es, en]) => [fold(es), en] as const)),
});

/** Folded noun -> the Spanish noun that is stored. */
export const relations = dictionary(
  RELATIONS,
  ENGLISH_ONLY,
  SPANISH_ONLY.map((noun) => [noun, noun]),
);
export const attributes = dictionary(ATTRIBUTES, ATTRIBUTES_ENGLISH_ONLY, [
  ['número de teléfono', 'teléfono'],
  ['número', 'teléfono'],
  ['móvil', 'teléfono'],
  ['email', 'correo'],
  ['correo electrónico', 'correo'],
  ['trabajo', 'profesión'],
]);

/** A conjugated verb, with what follows it ("en") as part of it. */
export interface Form {
  words: readonly string[];
  /** How many of the words are the verb itself; the rest is the preposition. */
  verbLength: number;
  entry: VerbEntry;
  person: 'first' | 'third' | 'base';
}

function formsOf(entry: VerbEntry, language: Language): Form[] {
  const [verbs, prepositions = ''] = (entry[language] ?? '').split('+');
  if (!verbs) return [];
  const persons = verbs.split('/');
  const forms: Form[] = [];
  persons.forEach((alternatives, index) => {
    const person =
      language === 'es' ? (['first', 'third', 'third'] as const)[index] : (['base', 'third', 'base'] as const)[index];
    if (alternatives === '-' || person === undefined) return;
    for (const alternative of alternatives.split('|')) {
      const verb = alternative.split(' ').map(fold);
      for (const preposition of prepositions.split('|')) {
        forms.push({ words: [...verb, ...(preposition ? [preposition] : [])], verbLength: verb.length, entry, person });
      }
    }
  });
  return forms;
}

const indexOf = (language: Language) =>
  Map.groupBy(
    VERBS.flatMap((entry) => formsOf(entry, language)).sort((a, b) => b.words.length - a.words.length),
    ({ words }) => words[0] ?? '',
  );

/** All forms by their first word, longest first. */
export const FORMS: Record<Language, Map<string, Form[]>> = { es: indexOf('es'), en: indexOf('en') };

const byVerb = new Map(VERBS.map((entry) => [entry.verb, entry]));

/** How a stored verb is said; what is not in the table is said as it is stored. */
export function sayVerb(verb: string, language: Language, person: 'second' | 'third' | 'plural'): string {
  const plain = verb.replaceAll('_', ' ');
  const [forms, prepositions = ''] = (byVerb.get(verb)?.[language] ?? '').split('+');
  if (!forms) return plain;
  const all = forms.split('/');
  const index = { second: language === 'es' ? 3 : 2, third: 1, plural: 2 }[person];
  const form = (all[index] ?? all[0])?.split('|')[0] ?? plain;
  const [preposition] = prepositions.split('|');
  return preposition ? `${form} ${preposition}` : form;
}
