/** Reads one question. */
import type { Pattern } from '../memory/index.ts';
import { type Entity, readEntity, readObject, SELF_ENTITY } from './entities.ts';
import { FORMS, type Form, PLEASING } from './lexicon.ts';
import { phrases, startsWith, type Token } from './text.ts';
import type { Asked, Language } from './types.ts';

export interface Question {
  asked: Asked;
  patterns: Pattern[];
}

const EVERYTHING: Record<Language, string[][]> = {
  es: phrases(
    'que sabes de|que sabes sobre|que sabes acerca de|que recuerdas de|que recuerdas sobre|hablame de|cuentame sobre|que me puedes decir de|que conoces de|quien es|quien soy|quienes son',
  ),
  en: phrases(
    'what do you know about|what do you remember about|tell me about|who is|who am|who are|what can you tell me about',
  ),
};
/** Questions with words of their own, and the verbs that they ask for. */
const FIXED: Record<Language, readonly (readonly [string[][], readonly string[]])[]> = {
  es: [
    [phrases('cuantos años tiene|cuantos años tengo|que edad tiene|que edad tengo'), ['tiene_edad']],
    [phrases('cuando cumple años|cuando cumplo años|cuando cumple'), ['cumple_anos_el']],
    [phrases('de donde es|de donde soy|de donde son'), ['es_de', 'nacio_en']],
    [
      phrases('a que se dedica|a que me dedico|en que trabaja|en que trabajo|de que trabaja|de que trabajo|que hace'),
      ['trabaja_de', 'su_profesión_es', 'trabaja_en', 'es'],
    ],
    [
      phrases('con quien esta casado|con quien esta casada|con quien estoy casado|con quien estoy casada'),
      ['esta_casado_con'],
    ],
    [phrases('a que es alergico|a que es alergica|a que soy alergico|a que soy alergica'), ['es_alergico_a']],
    [phrases('a que juega|a que juego'), ['juega_a']],
    [phrases('como es|como soy|que es'), ['es']],
  ],
  en: [
    [phrases('how old is|how old am|how old are'), ['tiene_edad']],
    [phrases('what does'), []],
  ],
};
const WH: Record<Language, ReadonlySet<string>> = {
  es: new Set(['que', 'cual', 'cuales', 'donde', 'cuando', 'como']),
  en: new Set(['what', 'which', 'where', 'when', 'how']),
};
const WHO: Record<Language, ReadonlySet<string>> = { es: new Set(['quien', 'quienes']), en: new Set(['who']) };
const PREPOSITIONS = new Set(['en', 'de', 'con', 'a', 'para', 'in', 'at', 'from', 'on', 'to', 'for']);
const DOES = new Set(['do', 'does', 'did']);
const BE = new Set(['is', 'am', 'are', 'was']);
const COPULA: Record<Language, ReadonlySet<string>> = { es: new Set(['es', 'son', 'soy']), en: BE };

/** Question words that ask what something is. */
const THINGS = new Set(['que', 'cual', 'cuales', 'what', 'which']);

/** Reads a question; undefined unless all of it is understood. */
export function readQuestion(all: readonly Token[], language: Language): Question | undefined {
  const tokens = all.filter(({ norm }) => norm !== ',');
  return (
    readEverything(tokens, language) ??
    readFixed(tokens, language) ??
    readAttribute(tokens, language) ??
    (language === 'es' ? readPleasing(tokens) : undefined) ??
    readWho(tokens, language) ??
    (language === 'es' ? readSpanish(tokens) : readEnglish(tokens)) ??
    readWhether(tokens, language)
  );
}

const entityOf = (tokens: readonly Token[], language: Language) => readEntity(tokens, language, true);

function objectsOf(entity: Entity | undefined, verbs: readonly string[]): Question | undefined {
  if (!entity || entity.attributeVerb || verbs.length === 0) return undefined;
  return { asked: 'object', patterns: verbs.map((verb) => ({ subject: entity.key, verb })) };
}

/** The entity after words that may already have named it: "¿quién soy?" */
function restOrSelf(tokens: readonly Token[], words: readonly string[], language: Language): Entity | undefined {
  if (tokens.length > 0) return entityOf(tokens, language);
  return words.some((word) => /^(soy|tengo|cumplo|dedico|trabajo|estoy|juego)$/.test(word)) ? SELF_ENTITY : undefined;
}

function readEverything(tokens: readonly Token[], language: Language): Question | undefined {
  const words = EVERYTHING[language].find((phrase) => startsWith(tokens, phrase));
  if (!words) return undefined;
  const rest = tokens.slice(words.length);
  const isDel = rest[0]?.norm === 'del';
  const entity = restOrSelf(isDel ? rest.slice(1) : rest, words, language);
  if (!entity || entity.attributeVerb) return undefined;
  const self = rest[0]?.norm === 'mi' && rest.length === 1 ? SELF_ENTITY : entity;
  return { asked: 'everything', patterns: [{ subject: self.key }, { object: self.key }] };
}

function readFixed(tokens: readonly Token[], language: Language): Question | undefined {
  for (const [starts, verbs] of FIXED[language]) {
    const words = starts.find((phrase) => startsWith(tokens, phrase));
    const question = words && objectsOf(restOrSelf(tokens.slice(words.length), words, language), verbs);
    if (question) return question;
  }
  if (language === 'es') return undefined;
  // "What does Ana do?", "where is Ana from?", "when was Ana born?", "who is Ana married to?"
  const [first, second] = tokens;
  const last = tokens.at(-1)?.norm;
  const inner = tokens.slice(2, -1);
  const before = `${first?.norm} ${second?.norm}`;
  if (/^what (does|do)$/.test(before) && last === 'do') {
    return objectsOf(entityOf(inner, 'en'), ['trabaja_de', 'su_profesión_es', 'trabaja_en', 'es']);
  }
  if (/^where (is|am|are)$/.test(before) && last === 'from')
    return objectsOf(entityOf(inner, 'en'), ['es_de', 'nacio_en']);
  if (before === 'where was' && last === 'born') return objectsOf(entityOf(inner, 'en'), ['nacio_en']);
  if (before === 'when was' && last === 'born') return objectsOf(entityOf(inner, 'en'), ['nacio_el']);
  if (/^who (is|am)$/.test(before) && last === 'to')
    return objectsOf(entityOf(inner.slice(0, -1), 'en'), ['esta_casado_con']);
  if (/^what (is|am|are)$/.test(before) && last === 'called') return objectsOf(entityOf(inner, 'en'), ['se_llama']);
  return undefined;
}

/** "¿Cuál es mi color favorito?", "what is my sister's name?", "when is Ana's birthday?" */
function readAttribute(tokens: readonly Token[], language: Language): Question | undefined {
  const [first, second] = tokens;
  if (!first || !second || !WH[language].has(first.norm) || !COPULA[language].has(second.norm)) return undefined;
  const entity = entityOf(tokens.slice(2), language);
  if (entity?.attributeVerb)
    return { asked: 'object', patterns: [{ subject: entity.key, verb: entity.attributeVerb }] };
  // "What is the capital of France?"
  const isThing = entity && !entity.isSelf && !entity.isName && THINGS.has(first.norm);
  return isThing ? objectsOf(entity, ['es']) : undefined;
}

/** "¿Qué le gusta a Ana?", "¿qué me gusta?", "¿a quién le gusta el té?", "¿le gusta el té a Ana?", "¿a Ana le gusta el té?" */
function readPleasing(tokens: readonly Token[]): Question | undefined {
  const at = tokens.findIndex(({ norm }) => norm in PLEASING);
  const verb = PLEASING[tokens[at]?.norm ?? ''];
  const clitic = tokens[at - 1]?.norm ?? '';
  if (!verb || !['me', 'le', 'les'].includes(clitic)) return undefined;
  const before = tokens.slice(0, at - 1);
  const after = tokens.slice(at + 1);
  const words = before.map(({ norm }) => norm).join(' ');
  const link = after.findLastIndex(({ norm }) => norm === 'a' || norm === 'al');
  const person = (phrase: readonly Token[]) =>
    clitic === 'me' ? (phrase.length === 0 ? SELF_ENTITY : undefined) : readDative(phrase);
  if (words === 'que') return objectsOf(person(after), [verb]);
  if (words === 'a quien' || words === 'a quienes') {
    const object = readObject(after, 'es');
    return object === undefined ? undefined : { asked: 'subject', patterns: [{ verb, object }] };
  }
  const subject = person(before.length > 0 ? before : link < 0 ? [] : after.slice(link));
  const object = readObject(before.length > 0 || link < 0 ? after : after.slice(0, link), 'es');
  if (!subject || subject.attributeVerb || object === undefined) return undefined;
  return whether(subject, verb, object);
}

/** "a Ana", "al vecino" */
function readDative([link, ...phrase]: readonly Token[]): Entity | undefined {
  if (link?.norm === 'a') return entityOf(phrase, 'es');
  return link?.norm === 'al' ? entityOf([{ ...link, norm: 'el' }, ...phrase], 'es') : undefined;
}

/** "¿Quién vive en Madrid?", "who likes tea?" */
function readWho(tokens: readonly Token[], language: Language): Question | undefined {
  const [who, verb] = tokens;
  if (!who || !verb || !WHO[language].has(who.norm)) return undefined;
  for (const form of FORMS[language].get(verb.norm) ?? []) {
    if (form.person === 'first' || !startsWith(tokens, form.words, 1)) continue;
    const { verb } = form.entry;
    const object = readObject(tokens.slice(1 + form.words.length), language, verb === 'es');
    if (object !== undefined) return { asked: 'subject', patterns: [{ verb, object }] };
  }
  return undefined;
}

/** "¿Dónde vive mi hermana?", "¿en qué ciudad vivo?", "¿qué idiomas habla Ana?" */
function readSpanish(tokens: readonly Token[]): Question | undefined {
  const start = PREPOSITIONS.has(tokens[0]?.norm ?? '') ? 1 : 0;
  const asks = tokens[start]?.norm ?? '';
  if (!WH.es.has(asks)) return undefined;
  // One noun may stand between the question word and the verb.
  for (const at of [start + 1, start + 2]) {
    for (const form of verbsAt(tokens, at, 'es')) {
      const place = form.entry.asks?.split(' ') ?? [];
      const isAsked =
        start === 1 ||
        at > start + 1 ||
        (form.words.length === form.verbLength ? !place.includes('donde') : place.includes(asks));
      if (!isAsked) continue;
      const rest = tokens.slice(at + form.verbLength);
      const entity = rest.length === 0 && form.person === 'first' ? SELF_ENTITY : entityOf(rest, 'es');
      if (entity && entity.isSelf === (form.person === 'first'))
        return objectsOf(entity, candidates(tokens, at, 'es', asks));
    }
  }
  return undefined;
}

/** "Where does my sister live?", "what do I drink?", "what languages does Ana speak?" */
function readEnglish(tokens: readonly Token[]): Question | undefined {
  const asks = tokens[0]?.norm ?? '';
  if (!WH.en.has(asks)) return undefined;
  for (const at of [1, 2]) {
    if (DOES.has(tokens[at]?.norm ?? '')) {
      const end = PREPOSITIONS.has(tokens.at(-1)?.norm ?? '') ? tokens.length - 1 : tokens.length;
      const verbAt = end - 1;
      const verbs = candidates(tokens, verbAt, 'en', asks);
      const question = objectsOf(entityOf(tokens.slice(at + 1, verbAt), 'en'), verbs);
      if (question) return question;
    }
  }
  if (asks === 'where' && BE.has(tokens[1]?.norm ?? ''))
    return objectsOf(entityOf(tokens.slice(2), 'en'), ['esta_en', 'vive_en']);
  return undefined;
}

function verbsAt(tokens: readonly Token[], at: number, language: Language): Form[] {
  return (FORMS[language].get(tokens[at]?.norm ?? '') ?? []).filter(({ words, verbLength }) =>
    startsWith(tokens, words.slice(0, verbLength), at),
  );
}

/** The verbs that a form can stand for, the ones that the question word asks for first. */
function candidates(tokens: readonly Token[], at: number, language: Language, asks: string): string[] {
  const forms = verbsAt(tokens, at, language);
  const asked = forms.filter(({ entry }) => entry.asks?.split(' ').includes(asks));
  const plain = forms.filter(({ words, verbLength }) => words.length === verbLength);
  const others = asked.length > 0 || asks === 'donde' || asks === 'where' ? [] : plain.length > 0 ? plain : forms;
  return [...new Set([...asked, ...others].map(({ entry }) => entry.verb))];
}

/** "¿Vive mi hermana en Madrid?", "¿mi hermana vive en Madrid?", "does my sister live in Madrid?", "is Ana a doctor?" */
function readWhether(tokens: readonly Token[], language: Language): Question | undefined {
  const hasDo = language === 'en' && DOES.has(tokens[0]?.norm ?? '');
  const words = hasDo ? tokens.slice(1) : tokens;
  for (let at = 0; at < words.length; at++) {
    for (const form of FORMS[language].get(words[at]?.norm ?? '') ?? []) {
      const question = startsWith(words, form.words, at) ? afterSubject(words, at, form, language) : undefined;
      if (question) return question;
      if (at === 0 && startsWith(words, form.words.slice(0, form.verbLength))) {
        const inverted = beforeSubject(words, form, language);
        if (inverted) return inverted;
      }
    }
  }
  return undefined;
}

function afterSubject(tokens: readonly Token[], at: number, form: Form, language: Language): Question | undefined {
  const isFirst = language === 'es' && form.person === 'first';
  const subject = at === 0 ? (isFirst ? SELF_ENTITY : undefined) : entityOf(tokens.slice(0, at), language);
  const { verb } = form.entry;
  return whether(subject, verb, readObject(tokens.slice(at + form.words.length), language, verb === 'es'));
}

function beforeSubject(tokens: readonly Token[], form: Form, language: Language): Question | undefined {
  const preposition = form.words.slice(form.verbLength);
  // "¿Es médica Ana?": a name at the end is who is meant.
  for (let at = form.verbLength + 1; form.entry.verb === 'es' && at < tokens.length; at++) {
    const subject = readEntity(tokens.slice(at), language);
    const question = subject?.isName
      ? whether(subject, 'es', readObject(tokens.slice(form.verbLength, at), language, true))
      : undefined;
    if (question) return question;
  }
  for (let end = form.verbLength + 1; end < tokens.length; end++) {
    if (!startsWith(tokens, preposition, end)) continue;
    const subject = entityOf(tokens.slice(form.verbLength, end), language);
    const { verb } = form.entry;
    const object = readObject(tokens.slice(end + preposition.length), language, verb === 'es');
    const question = whether(subject, verb, object);
    if (question) return question;
  }
  return undefined;
}

/** The second pattern lets the answer say what is known instead. */
function whether(subject: Entity | undefined, verb: string, object: string | undefined): Question | undefined {
  if (!subject || subject.attributeVerb || object === undefined) return undefined;
  return {
    asked: 'whether',
    patterns: [
      { subject: subject.key, verb, object },
      { subject: subject.key, verb },
    ],
  };
}
