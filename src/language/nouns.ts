/** Nouns that have one canonical form, the Spanish one, in both languages: family, people, pets and everyday things. */
import { fold } from './text.ts';

export type Gender = 'm' | 'f';

export interface Noun {
  /** Canonical, singular. */
  es: string;
  plural: string;
  gender: Gender;
  en: string;
  enPlural: string;
  /** A person or a pet: it has a name, and it belongs to someone ("hermana_de"). */
  relation: boolean;
  /** The same noun in the other gender, where English does not tell them apart. */
  counterpart?: string;
}

/** A noun as found in a sentence. */
export interface NounMatch {
  noun: Noun;
  isPlural: boolean;
  /** Number of words. */
  length: number;
}

/** Canonical, plural, gender, English, English plural; then other words for it: Spanish before the bar, English after it. */
type Row = readonly [string, string, Gender, string, string, string?];

const RELATIONS: readonly Row[] = [
  ['hermana', 'hermanas', 'f', 'sister', 'sisters', '|sis'],
  ['hermano', 'hermanos', 'm', 'brother', 'brothers', '|bro,siblings*'],
  ['madre', 'madres', 'f', 'mother', 'mothers', 'mama,mami|mum,mom,mummy,mommy'],
  ['padre', 'padres', 'm', 'father', 'fathers', 'papa,papi|dad,daddy,parents*'],
  ['hijo', 'hijos', 'm', 'son', 'sons', '|child,children*,kid,kids*'],
  ['hija', 'hijas', 'f', 'daughter', 'daughters', ''],
  ['marido', 'maridos', 'm', 'husband', 'husbands', 'esposo,esposos*|'],
  ['esposa', 'esposas', 'f', 'wife', 'wives', 'mujer|'],
  ['pareja', 'parejas', 'f', 'partner', 'partners', ''],
  ['novio', 'novios', 'm', 'boyfriend', 'boyfriends', ''],
  ['novia', 'novias', 'f', 'girlfriend', 'girlfriends', ''],
  ['prometido', 'prometidos', 'm', 'fiancé', 'fiancés', ''],
  ['prometida', 'prometidas', 'f', 'fiancée', 'fiancées', ''],
  ['abuelo', 'abuelos', 'm', 'grandfather', 'grandfathers', '|grandpa,granddad,grandparents*'],
  ['abuela', 'abuelas', 'f', 'grandmother', 'grandmothers', '|grandma,granny,nan'],
  ['nieto', 'nietos', 'm', 'grandson', 'grandsons', '|grandchild,grandchildren*,grandkids*'],
  ['nieta', 'nietas', 'f', 'granddaughter', 'granddaughters', ''],
  ['tío', 'tíos', 'm', 'uncle', 'uncles', ''],
  ['tía', 'tías', 'f', 'aunt', 'aunts', '|auntie'],
  ['primo', 'primos', 'm', 'cousin', 'cousins', ''],
  ['prima', 'primas', 'f', 'cousin', 'cousins', ''],
  ['sobrino', 'sobrinos', 'm', 'nephew', 'nephews', ''],
  ['sobrina', 'sobrinas', 'f', 'niece', 'nieces', ''],
  ['cuñado', 'cuñados', 'm', 'brother-in-law', 'brothers-in-law', '|brother in law'],
  ['cuñada', 'cuñadas', 'f', 'sister-in-law', 'sisters-in-law', '|sister in law'],
  ['suegro', 'suegros', 'm', 'father-in-law', 'fathers-in-law', '|father in law,in-laws*'],
  ['suegra', 'suegras', 'f', 'mother-in-law', 'mothers-in-law', '|mother in law'],
  ['yerno', 'yernos', 'm', 'son-in-law', 'sons-in-law', '|son in law'],
  ['nuera', 'nueras', 'f', 'daughter-in-law', 'daughters-in-law', '|daughter in law'],
  ['padrastro', 'padrastros', 'm', 'stepfather', 'stepfathers', '|stepdad'],
  ['madrastra', 'madrastras', 'f', 'stepmother', 'stepmothers', '|stepmum,stepmom'],
  ['hermanastro', 'hermanastros', 'm', 'stepbrother', 'stepbrothers', ''],
  ['hermanastra', 'hermanastras', 'f', 'stepsister', 'stepsisters', ''],
  ['padrino', 'padrinos', 'm', 'godfather', 'godfathers', ''],
  ['madrina', 'madrinas', 'f', 'godmother', 'godmothers', ''],
  ['hermana mayor', 'hermanas mayores', 'f', 'older sister', 'older sisters', '|elder sister,big sister,oldest sister'],
  ['hermana menor', 'hermanas menores', 'f', 'younger sister', 'younger sisters', 'hermana pequena|little sister,youngest sister'],
  ['hermano mayor', 'hermanos mayores', 'm', 'older brother', 'older brothers', '|elder brother,big brother,oldest brother'],
  ['hermano menor', 'hermanos menores', 'm', 'younger brother', 'younger brothers', 'hermano pequeno|little brother,youngest brother'],
  ['hijo mayor', 'hijos mayores', 'm', 'older son', 'older sons', '|eldest son,oldest son,elder son'],
  ['hija mayor', 'hijas mayores', 'f', 'older daughter', 'older daughters', '|eldest daughter,oldest daughter,elder daughter'],
  ['hijo menor', 'hijos menores', 'm', 'younger son', 'younger sons', 'hijo pequeno|youngest son'],
  ['hija menor', 'hijas menores', 'f', 'younger daughter', 'younger daughters', 'hija pequena|youngest daughter'],
  ['mejor amigo', 'mejores amigos', 'm', 'best friend', 'best friends', ''],
  ['mejor amiga', 'mejores amigas', 'f', 'best friend', 'best friends', ''],
  ['amigo', 'amigos', 'm', 'friend', 'friends', '|mate'],
  ['amiga', 'amigas', 'f', 'friend', 'friends', ''],
  ['jefe', 'jefes', 'm', 'boss', 'bosses', '|manager'],
  ['jefa', 'jefas', 'f', 'boss', 'bosses', ''],
  ['vecino', 'vecinos', 'm', 'neighbour', 'neighbours', '|neighbor,neighbors*'],
  ['vecina', 'vecinas', 'f', 'neighbour', 'neighbours', ''],
  ['compañero', 'compañeros', 'm', 'colleague', 'colleagues', 'companero de trabajo|coworker,co-worker,workmate'],
  ['compañera', 'compañeras', 'f', 'colleague', 'colleagues', 'companera de trabajo|'],
  ['compañero de piso', 'compañeros de piso', 'm', 'flatmate', 'flatmates', '|roommate,housemate'],
  ['compañera de piso', 'compañeras de piso', 'f', 'flatmate', 'flatmates', ''],
  ['médico', 'médicos', 'm', 'doctor', 'doctors', 'doctor,doctora|gp'],
  ['dentista', 'dentistas', 'm', 'dentist', 'dentists', ''],
  ['profesor', 'profesores', 'm', 'teacher', 'teachers', 'maestro|'],
  ['profesora', 'profesoras', 'f', 'teacher', 'teachers', 'maestra|'],
  ['casero', 'caseros', 'm', 'landlord', 'landlords', ''],
  ['casera', 'caseras', 'f', 'landlady', 'landladies', ''],
  ['bebé', 'bebés', 'm', 'baby', 'babies', ''],
  ['perro', 'perros', 'm', 'dog', 'dogs', '|puppy,puppies*'],
  ['perra', 'perras', 'f', 'dog', 'dogs', ''],
  ['gato', 'gatos', 'm', 'cat', 'cats', '|kitten,kittens*'],
  ['gata', 'gatas', 'f', 'cat', 'cats', ''],
  ['mascota', 'mascotas', 'f', 'pet', 'pets', ''],
  ['caballo', 'caballos', 'm', 'horse', 'horses', ''],
  ['conejo', 'conejos', 'm', 'rabbit', 'rabbits', ''],
  ['pájaro', 'pájaros', 'm', 'bird', 'birds', ''],
  ['pez', 'peces', 'm', 'fish', 'fish', ''],
  ['loro', 'loros', 'm', 'parrot', 'parrots', ''],
  ['tortuga', 'tortugas', 'f', 'turtle', 'turtles', '|tortoise'],
  ['hámster', 'hámsteres', 'm', 'hamster', 'hamsters', ''],
];

const THINGS: readonly Row[] = [
  ['coche', 'coches', 'm', 'car', 'cars', 'carro|'],
  ['moto', 'motos', 'f', 'motorbike', 'motorbikes', 'motocicleta|motorcycle'],
  ['bicicleta', 'bicicletas', 'f', 'bike', 'bikes', 'bici|bicycle'],
  ['casa', 'casas', 'f', 'house', 'houses', '|home'],
  ['piso', 'pisos', 'm', 'flat', 'flats', 'apartamento|apartment'],
  ['llave', 'llaves', 'f', 'key', 'keys', ''],
  ['gafas', 'gafas', 'f', 'glasses', 'glasses', ''],
  ['cartera', 'carteras', 'f', 'wallet', 'wallets', ''],
  ['pasaporte', 'pasaportes', 'm', 'passport', 'passports', ''],
  ['trabajo', 'trabajos', 'm', 'job', 'jobs', ''],
  ['oficina', 'oficinas', 'f', 'office', 'offices', ''],
  ['empresa', 'empresas', 'f', 'company', 'companies', ''],
  ['colegio', 'colegios', 'm', 'school', 'schools', ''],
  ['gimnasio', 'gimnasios', 'm', 'gym', 'gyms', ''],
  ['ordenador', 'ordenadores', 'm', 'computer', 'computers', ''],
  ['portátil', 'portátiles', 'm', 'laptop', 'laptops', ''],
  ['equipo', 'equipos', 'm', 'team', 'teams', ''],
  ['libro', 'libros', 'm', 'book', 'books', ''],
  ['guitarra', 'guitarras', 'f', 'guitar', 'guitars', ''],
  ['jardín', 'jardines', 'm', 'garden', 'gardens', ''],
  ['barco', 'barcos', 'm', 'boat', 'boats', ''],
];

const SPANISH = new Map<string, { noun: Noun; isPlural: boolean }>();
const ENGLISH = new Map<string, { noun: Noun; isPlural: boolean }>();

function addTo(map: typeof SPANISH, word: string, noun: Noun, isPlural: boolean): void {
  if (word !== '' && !map.has(fold(word))) map.set(fold(word), { noun, isPlural });
}

function load(rows: readonly Row[], relation: boolean): void {
  for (const [es, plural, gender, en, enPlural, others] of rows) {
    const twin = ENGLISH.get(fold(en))?.noun;
    const noun: Noun = { es, plural, gender, en, enPlural, relation };
    if (twin) {
      noun.counterpart = twin.es;
      twin.counterpart = es;
    }
    addTo(SPANISH, es, noun, false);
    addTo(SPANISH, plural, noun, true);
    addTo(ENGLISH, en, noun, false);
    addTo(ENGLISH, enPlural, noun, true);
    const [spanish = '', english = ''] = (others ?? '|').split('|');
    for (const word of spanish.split(',')) addTo(SPANISH, word.replace('*', ''), noun, word.endsWith('*'));
    for (const word of english.split(',')) addTo(ENGLISH, word.replace('*', ''), noun, word.endsWith('*'));
  }
}
load(RELATIONS, true);
load(THINGS, false);

/** The longest known noun at the start of the normalised words. */
export function matchNoun(words: readonly string[], language: 'es' | 'en'): NounMatch | undefined {
  const map = language === 'es' ? SPANISH : ENGLISH;
  for (let length = Math.min(3, words.length); length > 0; length--) {
    const found = map.get(words.slice(0, length).join(' '));
    if (found) return { ...found, length };
  }
  return undefined;
}

/** A canonical noun ("hermana", "gatos"), or undefined for anything else. */
export function canonicalNoun(text: string): { noun: Noun; isPlural: boolean } | undefined {
  const found = SPANISH.get(fold(text));
  return found && (text === found.noun.es || text === found.noun.plural) ? found : undefined;
}

/** How the noun is stored: "hermana", or "hermanas" when it was plural. */
export function canonicalForm(match: { noun: Noun; isPlural: boolean }): string {
  return match.isPlural ? match.noun.plural : match.noun.es;
}
