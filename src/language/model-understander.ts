import { z } from 'zod';
import { fold, type Pattern } from '../memory/index.ts';
import { SELF } from './entities.ts';
import { languageOfVerb, storedPattern, storedSubject, TASK_VERBS } from './task-format.ts';
import { containsWords, detectLanguage, MAX_SENTENCE } from './text.ts';
import type { Asked, PromptPart, TextModel, Understanding } from './types.ts';

const MAX_OUTPUT_TOKENS = 192;
/** Most facts of one message; the grammar allows no more. */
const MAX_FACTS = 8;
/** Longest subject or object, in characters. */
const MAX_TEXT = 200;

const text = z.string().trim().min(1).max(MAX_TEXT);
const extracted = z
  .array(z.object({ subject: text, verb: text, object: text, negated: z.boolean().optional() }))
  .max(MAX_FACTS);
const queried = z.object({ subject: text.optional(), verb: text.optional(), object: text.optional() });

const string = { type: 'string', maxLength: MAX_TEXT } as const;
const verb = { enum: TASK_VERBS } as const;

const FACT = { subject: string, verb, object: string };
const query = (...keys: (keyof typeof FACT)[]) => ({
  type: 'object',
  properties: Object.fromEntries(keys.map((key) => [key, FACT[key]])),
});

/** JSON schemas of what the model may write; the decoder turns them into grammars. */
const OUTPUT_SCHEMAS = {
  extract: {
    type: 'array',
    maxItems: MAX_FACTS,
    items: {
      oneOf: [
        { type: 'object', properties: FACT },
        { type: 'object', properties: { ...FACT, negated: { const: true } } },
      ],
    },
  },
  query: {
    oneOf: [
      query(),
      query('subject'),
      query('subject', 'verb'),
      query('verb', 'object'),
      query('subject', 'verb', 'object'),
    ],
  },
};

/** The prompt of a task for a model that was trained for it: `<|task|>TEXT<|out|>`. */
export function taskPrompt(task: 'extract' | 'query' | 'answer', input: string, facts?: string): PromptPart[] {
  return [
    { control: `<|${task}|>` },
    input,
    ...(facts === undefined ? [] : [{ control: '<|facts|>' }, facts]),
    { control: '<|out|>' },
  ];
}

/** Whether a model was trained for the tasks of the memory, as nano was. */
export function knowsTasks(model: TextModel): boolean {
  return ['<|extract|>', '<|query|>', '<|answer|>', '<|facts|>', '<|out|>'].every((name) => model.controlToken(name));
}

/**
 * Understands a message with a language model whose output a grammar holds to JSON. What the model says is taken only
 * when it can be read, uses known verbs, and names nothing that is not in the message; `undefined` otherwise.
 */
export class ModelUnderstander {
  readonly #model: TextModel;

  /** @param model one that `knowsTasks` */
  constructor(model: TextModel) {
    this.#model = model;
  }

  async understand(message: string, signal?: AbortSignal): Promise<Understanding | undefined> {
    const input = message.trim().replaceAll(/\s+/g, ' ');
    if (input === '' || input.length > MAX_SENTENCE) return undefined;
    const tasks = [() => this.extract(input, signal), () => this.query(input, signal)];
    if (/[?¿]/.test(input)) tasks.reverse();
    for (const task of tasks) {
      const understood = await task();
      if (understood) return understood;
    }
    return undefined;
  }

  /** The facts of a statement. */
  async extract(input: string, signal?: AbortSignal): Promise<Understanding | undefined> {
    if (NOT_TODAY.test(input)) return undefined;
    const said = extracted.safeParse(await this.#write('extract', input, signal));
    if (!said.success || said.data.length === 0) return undefined;
    const facts: Required<Pattern>[] = [];
    const retract: Required<Pattern>[] = [];
    for (const { negated, ...fact } of said.data) {
      const { subject, verb, object } = stored(input, fact) ?? {};
      if (!subject || !verb || !object) return undefined;
      (negated ? retract : facts).push({ subject, verb, object });
    }
    const language = languageOfVerb(said.data[0]?.verb ?? '') ?? detectLanguage(input);
    return { kind: 'statement', language, facts, retract, ignored: [] };
  }

  /** What a question asks for. */
  async query(input: string, signal?: AbortSignal): Promise<Understanding | undefined> {
    const said = queried.safeParse(await this.#write('query', input, signal));
    const pattern = said.data && stored(input, said.data);
    const asked = pattern && askedBy(pattern);
    if (!pattern || !asked) return undefined;
    const { object: _, ...anyObject } = pattern;
    const patterns = {
      object: [pattern],
      subject: [pattern],
      whether: [pattern, anyObject],
      everything: [pattern, { object: pattern.subject ?? '' }],
    }[asked];
    const language = languageOfVerb(said.data?.verb ?? '') ?? detectLanguage(input);
    return { kind: 'question', language, asked, patterns };
  }

  async #write(task: 'extract' | 'query', input: string, signal?: AbortSignal): Promise<unknown> {
    const output = await this.#model.complete(taskPrompt(task, input), {
      maxTokens: MAX_OUTPUT_TOKENS,
      temperature: 0,
      jsonSchema: OUTPUT_SCHEMAS[task],
      task,
      ...(signal ? { signal } : {}),
    });
    try {
      return JSON.parse(output);
    } catch {
      return undefined; // Cut off at the limit.
    }
  }
}

function askedBy({ subject, verb, object }: Pattern): Asked | undefined {
  if (subject && verb) return object ? 'whether' : 'object';
  if (verb && object) return 'subject';
  return subject && !verb && !object ? 'everything' : undefined;
}

/** Imagined, past, future, or said by somebody else: no fact of today, and small models overlook it. */
const NOT_TODAY =
  /(?<![\p{L}])(si|ojalá|quizás?|tal vez|dice[ns]?|dijo|dijeron|cree[ns]?|gustaría|viviera|o|u|vivía|vivirá|viviría|trabajaba|trabajará|trabajaría|tenía|tendrá|tendría|era|será|sería|estaba|estará|estaría|hablaba|hablará|estudiaba|estudiará|conducía|quería|jugaba|tocaba|usaba|if|would|will|could|might|wish|maybe|perhaps|say|says|said|think|thinks|thought|used to|or)(?![\p{L}])/iu;
/** What somebody says who speaks of himself: a verb in the first person, a pronoun. */
const FIRST_PERSON =
  /(?<![\p{L}])(yo|me|mí|mis?|soy|estoy|voy|doy|sé|nací|vine|compré|cumplí|casé|\p{L}+o|i|my|mine|i['’]m)(?![\p{L}])/iu;

/** Words that stand for somebody who was not named. */
const NOBODY = new Set(
  'el ella ellos ellas alguien nadie quien uno he she it they them somebody someone nobody everybody anyone who yo i'.split(
    ' ',
  ),
);

/**
 * What the model said, as it is stored; undefined when it was not said in the message. A small model invents; subject and
 * object must be words of the message.
 */
function stored(input: string, said: Pattern): Pattern | undefined {
  const language = said.verb === undefined ? detectLanguage(input) : languageOfVerb(said.verb);
  if (!language) return undefined;
  if (said.subject !== undefined && NOBODY.has(fold(said.subject))) return undefined;
  const isSelf = said.subject !== undefined && storedSubject(said.subject, language) === SELF;
  if (isSelf && !FIRST_PERSON.test(input)) return undefined;
  const contains = (part: string | undefined) => part === undefined || containsWords(input, part);
  return (isSelf || contains(said.subject)) && contains(said.object) ? storedPattern(said, language) : undefined;
}
