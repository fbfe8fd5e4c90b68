/** Nouns that name a property of someone: "el teléfono de Ana", "my favourite colour". They become verbs. */
import { fold } from './text.ts';

export interface Attribute {
  /** Canonical verb. */
  verb: string;
  gender: 'm' | 'f';
  es: string;
  en: string;
  /** What may be its value; anything else is a statement about the thing itself ("my phone is broken"). */
  accepts: (value: string) => boolean;
  isList?: boolean;
}

const MONTHS_AND_DAYS =
  /\b(enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre|january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|lunes|martes|miercoles|jueves|viernes|sabado|domingo|monday|tuesday|wednesday|thursday|friday|saturday|sunday|navidad|christmas|nochebuena|nochevieja)\b/;

/** A date as people say it: "3 de mayo", "May 3rd", "1990", "24/12". */
export function isDate(text: string): boolean {
  const folded = fold(text);
  return MONTHS_AND_DAYS.test(folded) || /^(1[89]|20)\d\d$/.test(folded) || /^\d{1,4}[/.-]\d{1,2}([/.-]\d{1,4})?$/.test(folded);
}

const digits = (count: number) => (value: string) => value.replace(/\D/g, '').length >= count;
const anything = () => true;

/** Verb, gender, Spanish and English label (the first of its words), and what values it takes. */
const ROWS: readonly (readonly [string, 'm' | 'f', string, string, (value: string) => boolean])[] = [
  [
    'telefono',
    'm',
    'teléfono,numero de telefono,telefono movil,movil,celular,numero de movil,numero de movil personal',
    'phone number,phone,telephone,telephone number,mobile,mobile number,cell phone,cell,number',
    digits(3),
  ],
  [
    'correo',
    'm',
    'correo,correo electronico,email,e-mail,mail,direccion de correo,direccion de email',
    'email,email address,e-mail,e-mail address,mail address',
    (value) => value.includes('@'),
  ],
  ['direccion', 'f', 'dirección,direccion postal,domicilio', 'address,home address,postal address', anything],
  ['codigo_postal', 'm', 'código postal', 'postcode,post code,zip code,postal code', digits(2)],
  ['cumple_anos', 'm', 'cumpleaños,cumple,fecha de nacimiento', 'birthday,date of birth,birthdate', isDate],
  ['aniversario', 'm', 'aniversario,aniversario de boda', 'anniversary,wedding anniversary', isDate],
  ['edad', 'f', 'edad', 'age', digits(1)],
  ['se_llama', 'm', 'nombre', 'name,first name', anything],
  ['apellido', 'm', 'apellido,apellidos', 'surname,last name,family name', anything],
  ['apodo', 'm', 'apodo,mote', 'nickname', anything],
  ['profesion', 'f', 'profesión,oficio,ocupacion', 'profession,occupation', anything],
  ['nacionalidad', 'f', 'nacionalidad', 'nationality', anything],
  ['grupo_sanguineo', 'm', 'grupo sanguíneo,tipo de sangre', 'blood type,blood group', anything],
  ['matricula', 'f', 'matrícula', 'licence plate,license plate,number plate,registration number', anything],
  ['contrasena', 'f', 'contraseña,clave', 'password,passcode', anything],
  ['dni', 'm', 'dni,numero de dni', 'id number', digits(3)],
  ['numero_de_pasaporte', 'm', 'número de pasaporte', 'passport number', digits(3)],
  ['talla', 'f', 'talla', 'size,clothes size', anything],
  ['numero_de_pie', 'm', 'número de pie,numero de zapato,talla de zapato,talla de pie', 'shoe size', digits(1)],
  ['mide', 'f', 'altura,estatura', 'height', digits(1)],
  ['pesa', 'm', 'peso', 'weight', digits(2)],
  ['signo', 'm', 'signo,signo del zodiaco,horoscopo', 'star sign,zodiac sign,sign', anything],
  ['hora_de_levantarse', 'f', 'hora de levantarse', 'wake-up time', digits(1)],
];

/** Things that have a favourite: Spanish noun, gender, English words. */
const FAVOURITES: readonly (readonly [string, 'm' | 'f', string, string])[] = [
  ['color', 'm', 'color,colores', 'colour,color,colours,colors'],
  ['comida', 'f', 'comida,comidas', 'food,foods,meal,dish'],
  ['plato', 'm', 'plato,platos', ''],
  ['bebida', 'f', 'bebida,bebidas', 'drink,drinks,beverage'],
  ['fruta', 'f', 'fruta,frutas', 'fruit,fruits'],
  ['postre', 'm', 'postre,postres', 'dessert,desserts'],
  ['película', 'f', 'película,películas,peli', 'film,movie,films,movies'],
  ['serie', 'f', 'serie,series', 'series,show,tv show,tv series'],
  ['canción', 'f', 'canción,canciones', 'song,songs'],
  ['música', 'f', 'música', 'music'],
  ['grupo', 'm', 'grupo,grupos,banda', 'band,bands'],
  ['cantante', 'm', 'cantante,cantantes', 'singer,singers'],
  ['libro', 'm', 'libro,libros', 'book,books'],
  ['autor', 'm', 'autor,autora,escritor,escritora', 'author,writer'],
  ['actor', 'm', 'actor,actores', 'actor,actors'],
  ['actriz', 'f', 'actriz', 'actress'],
  ['equipo', 'm', 'equipo,equipos', 'team,football team,teams'],
  ['deporte', 'm', 'deporte,deportes', 'sport,sports'],
  ['jugador', 'm', 'jugador,jugadores', 'player,players'],
  ['juego', 'm', 'juego,juegos', 'game,games'],
  ['videojuego', 'm', 'videojuego,videojuegos', 'video game,videogame'],
  ['animal', 'm', 'animal,animales', 'animal,animals'],
  ['número', 'm', 'número,números', 'number,numbers'],
  ['ciudad', 'f', 'ciudad,ciudades', 'city,cities'],
  ['país', 'm', 'país,países', 'country,countries'],
  ['lugar', 'm', 'lugar,sitio,lugares', 'place,places'],
  ['restaurante', 'm', 'restaurante,restaurantes', 'restaurant,restaurants'],
  ['estación', 'f', 'estación,estación del año', 'season'],
  ['día', 'm', 'día', 'day'],
  ['mes', 'm', 'mes', 'month'],
  ['asignatura', 'f', 'asignatura,asignaturas', 'subject,school subject'],
  ['flor', 'f', 'flor,flores', 'flower,flowers'],
  ['helado', 'm', 'helado,helados', 'ice cream'],
  ['marca', 'f', 'marca,marcas', 'brand'],
  ['pintor', 'm', 'pintor,pintora', 'painter,artist'],
];

const SPANISH = new Map<string, Attribute>();
const ENGLISH = new Map<string, Attribute>();
const BY_VERB = new Map<string, Attribute>();
const FAVOURITE_BY_WORD = { es: new Map<string, Attribute>(), en: new Map<string, Attribute>() };

for (const [verb, gender, spanish, english, accepts] of ROWS) {
  const attribute = { verb, gender, es: spanish.split(',')[0] ?? verb, en: english.split(',')[0] ?? verb, accepts };
  BY_VERB.set(verb, attribute);
  for (const word of spanish.split(',')) SPANISH.set(fold(word), attribute);
  for (const word of english.split(',')) ENGLISH.set(fold(word), attribute);
}

function favourite(noun: string, gender: 'm' | 'f', english: string): Attribute {
  const adjective = gender === 'f' ? 'favorita' : 'favorito';
  const verb = `${fold(noun).replaceAll(' ', '_')}_${adjective}`;
  return { verb, gender, es: `${noun} ${adjective}`, en: `favourite ${english}`, accepts: anything, isList: true };
}

for (const [noun, gender, spanish, english] of FAVOURITES) {
  const attribute = favourite(noun, gender, english.split(',')[0] || noun);
  BY_VERB.set(attribute.verb, attribute);
  for (const word of spanish.split(',')) FAVOURITE_BY_WORD.es.set(fold(word), attribute);
  for (const word of english.split(',')) if (word !== '') FAVOURITE_BY_WORD.en.set(fold(word), attribute);
}

/** The longest attribute at the start of the normalised words. */
export function matchAttribute(
  words: readonly string[],
  language: 'es' | 'en',
): { attribute: Attribute; length: number } | undefined {
  const map = language === 'es' ? SPANISH : ENGLISH;
  for (let length = Math.min(4, words.length); length > 0; length--) {
    const attribute = map.get(words.slice(0, length).join(' '));
    if (attribute) return { attribute, length };
  }
  return undefined;
}

/** The attribute "favourite such-and-such"; the noun need not be a known one. */
export function favouriteOf(words: readonly string[], language: 'es' | 'en', gender: 'm' | 'f'): Attribute {
  const noun = words.join(' ');
  return FAVOURITE_BY_WORD[language].get(noun) ?? favourite(noun, gender, noun);
}

/** How a verb that is an attribute is spoken of; undefined for every other verb. */
export function attributeOf(verb: string): Attribute | undefined {
  const known = BY_VERB.get(verb);
  if (known) return known;
  const own = /^(.+)_favorit([oa])$/.exec(verb);
  return own?.[1] ? favourite(own[1].replaceAll('_', ' '), own[2] === 'a' ? 'f' : 'm', own[1].replaceAll('_', ' ')) : undefined;
}
