import { readEntity } from './entities.ts';
import { type Question, readQuestion } from './questions.ts';
import { type Clause, readStatement } from './statements.ts';
import {
  detectLanguage,
  MAX_SENTENCE,
  phrases,
  sentencesOf,
  startsWith,
  type Token,
  textOf,
  tokensOf,
} from './text.ts';
import type { Language, Topic, Understander, Understanding } from './types.ts';

/** Most sentences that are read of one message. */
const MAX_SENTENCES = 50;
/** How sure somebody is who says "I think". */
const GUESS = 0.6;

const SMALLTALK: Record<Topic, Record<Language, ReadonlySet<string>>> = {
  greeting: {
    es: new Set(['hola', 'buenos dias', 'buenas tardes', 'buenas noches', 'buenas', 'que tal', 'hola que tal']),
    en: new Set(['hello', 'hi', 'hey', 'good morning', 'good afternoon', 'good evening', 'how are you', 'hi there']),
  },
  thanks: {
    es: new Set(['gracias', 'muchas gracias', 'mil gracias', 'vale gracias', 'perfecto gracias']),
    en: new Set(['thanks', 'thank you', 'thanks a lot', 'thank you very much', 'many thanks']),
  },
  farewell: {
    es: new Set(['adios', 'hasta luego', 'hasta mañana', 'chao', 'nos vemos']),
    en: new Set(['bye', 'goodbye', 'see you', 'see you later', 'good night']),
  },
  help: {
    es: new Set(['ayuda', 'que puedes hacer', 'que sabes hacer', 'como funcionas', 'quien eres']),
    en: new Set(['help', 'what can you do', 'how do you work', 'who are you']),
  },
};
const REMEMBER: Record<Language, string[][]> = {
  es: phrases(
    'recuerda que|recuerda|apunta que|anota que|ten en cuenta que|quiero que sepas que|sabes que|que sepas que|por favor recuerda que',
  ),
  en: phrases(
    'remember that|remember|note that|please remember that|please note that|you should know that|keep in mind that',
  ),
};
const GUESSING: Record<Language, string[][]> = {
  es: phrases('creo que|me parece que|quiza|quizas|tal vez|supongo que|diria que'),
  en: phrases('i think that|i think|i believe that|i believe|i guess that|i guess|maybe|perhaps|probably'),
};
const FILLERS: Record<Language, ReadonlySet<string>> = {
  es: new Set(['pues', 'bueno', 'oye', 'hola', 'mira', 'si', 'y', 'vale', 'ah', 'por', 'favor', ',']),
  en: new Set(['well', 'so', 'hello', 'hi', 'hey', 'yes', 'and', 'ok', 'okay', 'oh', 'please', ',']),
};
const FORGET: Record<Language, string[][]> = {
  es: phrases(
    'olvida que|olvida todo sobre|olvida todo lo de|olvida todo lo que sabes de|olvida todo lo que sabes sobre|olvida lo de|olvida a|olvida|borra que|borra todo sobre',
  ),
  en: phrases(
    'forget that|forget everything about|forget everything you know about|forget all about|forget what you know about|forget about|forget|delete everything about',
  ),
};
const ASKING: Record<Language, ReadonlySet<string>> = {
  es: new Set('que quien quienes cual cuales donde cuando como cuanto cuantos hablame cuentame'.split(' ')),
  en: new Set('what who which where when how do does tell'.split(' ')),
};

const REASONS: Record<'empty' | 'long' | 'mixed' | 'everything' | 'beyond', Record<Language, string>> = {
  empty: { es: 'no hay ningún texto', en: 'there is no text' },
  long: {
    es: `es demasiado largo: leo frases de hasta ${MAX_SENTENCE} caracteres`,
    en: `it is too long: I read sentences of up to ${MAX_SENTENCE} characters`,
  },
  mixed: {
    es: 'cuéntame o pregúntame, pero no las dos cosas en el mismo mensaje',
    en: 'tell me or ask me, but not both in one message',
  },
  everything: {
    es: 'para olvidarlo todo usa «phoenix memory forget --everything»',
    en: 'to forget everything use "phoenix memory forget --everything"',
  },
  beyond: {
    es: 'solo entiendo frases sencillas, como «Mi hermana vive en Madrid» o «¿Dónde vive mi hermana?»',
    en: 'I only understand simple sentences, such as "My sister lives in Madrid" or "Where does my sister live?"',
  },
};

type Sentence =
  | ({ kind: 'statement' } & Clause)
  | ({ kind: 'question' } & Question)
  | { kind: 'forget'; patterns: Clause['retract'] }
  | { kind: 'smalltalk'; topic: Topic }
  | { kind: 'unknown' };

/** Understands everyday sentences in Spanish and English by rules. What it is not sure about it does not understand. */
export class RuleUnderstander implements Understander {
  understand(text: string): Understanding {
    const language = detectLanguage(text);
    const sentences = sentencesOf(text);
    if (sentences.length === 0) return unknown(language, 'empty');
    if (sentences.length > MAX_SENTENCES || sentences.some(({ length }) => length > MAX_SENTENCE))
      return unknown(language, 'long');
    const first = this.#understandAs(sentences, language);
    if (first.kind !== 'unknown') return first;
    const second = this.#understandAs(sentences, language === 'es' ? 'en' : 'es');
    return second.kind === 'unknown' ? first : second;
  }

  #understandAs(sentences: readonly string[], language: Language): Understanding {
    const read = sentences.map((sentence) => ({ sentence, ...readSentence(sentence, language) }));
    const telling = read.filter((one) => one.kind === 'statement');
    const asking = read.filter((one) => one.kind === 'question' || one.kind === 'forget');
    const ignored = read.filter(({ kind }) => kind === 'unknown').map(({ sentence }) => sentence);
    if (telling.length > 0) {
      if (asking.length > 0) return unknown(language, 'mixed');
      const facts = telling.flatMap((one) => one.facts);
      return { kind: 'statement', language, facts, retract: telling.flatMap((one) => one.retract), ignored };
    }
    const [request, ...more] = asking;
    if (request && more.length === 0 && ignored.length === 0) {
      const { sentence: _, ...understood } = request;
      return { language, ...understood };
    }
    const [talk] = read.filter((one) => one.kind === 'smalltalk');
    if (talk && asking.length === 0 && ignored.length === 0) return { kind: 'smalltalk', language, topic: talk.topic };
    const isAll = /^(olv[ií]dalo todo|olvida todo|forget (everything|all))\W*$/i.test(sentences.join(' ').trim());
    return unknown(language, isAll ? 'everything' : 'beyond');
  }
}

function unknown(language: Language, reason: keyof typeof REASONS): Understanding {
  return { kind: 'unknown', language, reason: REASONS[reason][language], final: reason !== 'beyond' };
}

function readSentence(sentence: string, language: Language): Sentence {
  const tokens = tokensOf(sentence, language);
  const plain = tokens
    .map(({ norm }) => norm)
    .filter((norm) => norm !== ',')
    .join(' ');
  for (const [topic, words] of Object.entries(SMALLTALK)) {
    if (words[language].has(plain)) return { kind: 'smalltalk', topic: topic as Topic };
  }
  const words = dropWhile(tokens, ({ norm }) => FILLERS[language].has(norm));
  if (words.length === 0) return { kind: 'unknown' };
  const forgetting = takePrefix(words, FORGET[language]);
  if (forgetting) return readForget(forgetting, language);
  if (/[?¿]/.test(sentence) || ASKING[language].has(words[0]?.norm ?? '')) {
    const question = readQuestion(words, language);
    return question ? { kind: 'question', ...question } : { kind: 'unknown' };
  }
  return readTelling(words, language);
}

function readTelling(tokens: readonly Token[], language: Language): Sentence {
  const remembered = takePrefix(tokens, REMEMBER[language]) ?? tokens;
  const guess = takePrefix(remembered, GUESSING[language]);
  const clause = readStatement(
    dropWhile(guess ?? remembered, ({ norm }) => norm === ','),
    language,
  );
  if (!clause) return { kind: 'unknown' };
  const facts = guess ? clause.facts.map((fact) => ({ ...fact, confidence: GUESS })) : clause.facts;
  // Who only guesses that something is no longer true does not know it.
  return guess && clause.retract.length > 0 ? { kind: 'unknown' } : { kind: 'statement', ...clause, facts };
}

/** "Forget that my sister lives in Madrid", "forget everything about my sister". */
function readForget(tokens: readonly Token[], language: Language): Sentence {
  const clause = readStatement(tokens, language);
  if (clause && clause.retract.length === 0) {
    return { kind: 'forget', patterns: clause.facts.map(({ subject, verb, object }) => ({ subject, verb, object })) };
  }
  const entity = readEntity(
    tokens[0]?.norm === 'mi' && tokens.length === 1 ? [{ text: 'yo', norm: 'yo', isCapital: false }] : tokens,
    language,
    true,
  );
  if (!entity || ['todo', 'everything', 'all', 'it'].includes(textOf(tokens).toLowerCase())) return { kind: 'unknown' };
  if (entity.attributeVerb) return { kind: 'forget', patterns: [{ subject: entity.key, verb: entity.attributeVerb }] };
  return { kind: 'forget', patterns: [{ subject: entity.key }, { object: entity.key }] };
}

/** What follows the longest of some phrases. */
function takePrefix(tokens: readonly Token[], prefixes: readonly (readonly string[])[]): readonly Token[] | undefined {
  const found = prefixes.filter((words) => startsWith(tokens, words)).sort((a, b) => b.length - a.length)[0];
  return found && tokens.slice(found.length);
}

function dropWhile<T>(items: readonly T[], drop: (item: T) => boolean): readonly T[] {
  const at = items.findIndex((item) => !drop(item));
  return at < 0 ? [] : items.slice(at);
}
