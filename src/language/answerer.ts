import { fold, type NewFact, type Triple } from '../memory/index.ts';
import { SELF } from './entities.ts';
import { attributes, PLEASING, relations, sayVerb } from './lexicon.ts';
import type { Answerer, Language, Outcome, Topic, Understanding } from './types.ts';

/** Most sentences of one answer. */
const MAX_SENTENCES = 20;

const SMALLTALK: Record<Topic, Record<Language, string>> = {
  greeting: {
    es: 'Hola. Cuéntame algo o pregúntame por lo que me contaste.',
    en: 'Hello. Tell me something, or ask me about what you told me.',
  },
  thanks: { es: 'De nada.', en: 'You are welcome.' },
  farewell: { es: 'Hasta luego.', en: 'Goodbye.' },
  help: {
    es: 'Recuerdo lo que me cuentas («Mi hermana vive en Madrid») y respondo a preguntas sobre ello («¿Dónde vive mi hermana?»). Con «Olvida que…» lo olvido.',
    en: 'I remember what you tell me ("My sister lives in Madrid") and answer questions about it ("Where does my sister live?"). "Forget that ..." makes me forget it.',
  },
};
const TEXT = {
  stored: { es: 'Entendido: ', en: 'Got it: ' },
  retracted: { es: 'Entendido: ya no es así.', en: 'Got it: that is no longer so.' },
  notKnown: { es: 'Entendido, aunque no me constaba.', en: 'Got it, although I did not know of it.' },
  ignored: { es: 'No he entendido: ', en: 'I did not understand: ' },
  unknown: { es: 'No te he entendido: ', en: 'I did not understand that: ' },
  nothing: {
    es: 'No lo sé: no me has contado nada de eso.',
    en: 'I do not know: you have not told me anything about that.',
  },
  yes: { es: 'Sí: ', en: 'Yes: ' },
  no: { es: 'No, que yo sepa: ', en: 'Not that I know: ' },
  forgotten: { es: 'Olvidado.', en: 'Forgotten.' },
  notForgotten: { es: 'No había nada que olvidar.', en: 'There was nothing to forget.' },
} as const;

type Fact = Pick<Triple, 'subject' | 'verb' | 'object'>;

/** Answers in sentences that are made from the facts alone. */
export class RuleAnswerer implements Answerer {
  answer(_message: string, understood: Understanding, { recalled, forgotten, retracted }: Outcome): string {
    const { language } = understood;
    const say = (key: keyof typeof TEXT) => TEXT[key][language];
    switch (understood.kind) {
      case 'statement': {
        const lines: string[] = [];
        if (understood.facts.length > 0) lines.push(say('stored') + sayFacts(understood.facts, language));
        if (understood.retract.length > 0) lines.push(retracted > 0 ? say('retracted') : say('notKnown'));
        if (understood.ignored.length > 0)
          lines.push(say('ignored') + understood.ignored.map((s) => `«${s}»`).join(', '));
        return lines.join('\n');
      }
      case 'question': {
        if (recalled.length === 0) return say('nothing');
        const text = sayFacts(recalled, language);
        if (understood.asked !== 'whether') return capitalize(text);
        const wanted = fold(understood.patterns[0]?.object ?? '');
        return recalled.some(({ object }) => fold(object) === wanted) ? say('yes') + text : say('no') + text;
      }
      case 'forget':
        return forgotten > 0 ? say('forgotten') : say('notForgotten');
      case 'smalltalk':
        return SMALLTALK[understood.topic][language];
      case 'unknown':
        return `${say('unknown')}${understood.reason}.`;
    }
  }
}

/** Facts as sentences; those with the same subject and verb share one. */
export function sayFacts(facts: readonly (NewFact | Triple)[], language: Language): string {
  const groups = Map.groupBy(facts, ({ subject, verb }) => `${fold(subject)}\n${fold(verb)}`);
  const sentences = [...groups.values()].slice(0, MAX_SENTENCES).map((group) => {
    const [{ subject, verb } = { subject: '', verb: '' }] = group;
    const objects = group.map(({ object }) => object);
    return saySentence({ subject, verb, object: list(objects, language) }, objects.length > 1, language);
  });
  return `${sentences.map((sentence, at) => (at > 0 ? capitalize(sentence) : sentence)).join('. ')}.`;
}

function saySentence({ subject, verb, object }: Fact, isPlural: boolean, language: Language): string {
  const isSelf = fold(subject) === SELF;
  const name = sayEntity(subject, language);
  const attribute = /^su_(.+)_es$/.exec(verb.replaceAll(' ', '_'))?.[1]?.replaceAll('_', ' ');
  if (attribute) return sayAttribute(attribute, { subject, verb, object }, isSelf, language);
  if (verb === 'tiene_edad' && /^\d+$/.test(object)) {
    if (language === 'en') return `${isSelf ? 'you are' : `${name} is`} ${object} years old`;
    return `${isSelf ? 'tienes' : `${name} tiene`} ${object} años`;
  }
  const pleasing = Object.entries(PLEASING).find(
    ([form, stored]) => stored === verb && form.endsWith('n') === isPlural,
  )?.[0];
  if (language === 'es' && pleasing) return `${isSelf ? 'te' : `a ${name} le`} ${pleasing}: ${object}`;
  const spoken = sayVerb(verb, language, isSelf ? 'second' : isPluralNoun(subject) ? 'plural' : 'third');
  if (language === 'es') return `${isSelf ? '' : `${name} `}${spoken} ${object}`;
  const article = verb === 'tiene' && /^[a-z]+(?<!s)$/.test(object) ? (/^[aeiou]/.test(object) ? 'an ' : 'a ') : '';
  return `${isSelf ? 'you' : name} ${spoken} ${article}${object}`;
}

function sayAttribute(attribute: string, { subject, object }: Fact, isSelf: boolean, language: Language): string {
  const english = language === 'en' ? (attributes.toEnglish.get(fold(attribute)) ?? attribute) : attribute;
  if (language === 'en') return `${isSelf ? 'your' : `${sayEntity(subject, language)}'s`} ${english} is ${object}`;
  return isSelf ? `tu ${attribute} es ${object}` : `${attribute} de ${sayEntity(subject, language)}: ${object}`;
}

const isPluralNoun = (subject: string) => relations.es.has(fold(subject)) && subject.endsWith('s');

/** A subject as the user calls it: "your sister". */
function sayEntity(subject: string, language: Language): string {
  const [noun = '', ...owner] = subject.split(' de ');
  if (/^\p{Lu}|^\d/u.test(noun)) return subject;
  if (!relations.es.has(fold(noun))) return `${language === 'en' ? 'the' : articleOf(noun)} ${subject}`;
  const spoken = language === 'en' ? (relations.toEnglish.get(fold(noun)) ?? noun) : noun;
  if (owner.length === 0) return `${language === 'en' ? 'your' : isPluralNoun(noun) ? 'tus' : 'tu'} ${spoken}`;
  const whose = sayEntity(owner.join(' de '), language);
  return language === 'en' ? `${whose}'s ${spoken}` : `${articleOf(noun)} ${noun} de ${whose}`;
}

/** By the ending of the noun, which is right for most. */
function articleOf(noun: string): string {
  const isFeminine = /(a|as|dad|ción|sión)$/.test(noun);
  if (noun.endsWith('s')) return isFeminine ? 'las' : 'los';
  return isFeminine ? 'la' : 'el';
}

function list(objects: readonly string[], language: Language): string {
  if (objects.length < 2) return objects.join('');
  const last = objects.at(-1) ?? '';
  const and = language === 'en' ? 'and' : /^h?i(?!e)/i.test(last) ? 'e' : 'y';
  return `${objects.slice(0, -1).join(', ')} ${and} ${last}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
