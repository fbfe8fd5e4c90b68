import { z } from 'zod';
import type { Pattern } from '../memory/index.ts';
import { SELF } from './entities.ts';
import { storedPattern, storedSubject, taskVerbs } from './task-format.ts';
import { containsWords, detectLanguage, MAX_SENTENCE } from './text.ts';
import type { Asked, Language, PromptPart, TextModel, Understanding } from './types.ts';

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
const verb = (language: Language) => ({ enum: taskVerbs(language) });

/** JSON schemas of what the model may write; the decoder turns them into grammars. */
export const OUTPUT_SCHEMAS = {
  extract: (language: Language) => {
    const fact = { subject: string, verb: verb(language), object: string };
    return {
      type: 'array',
      maxItems: MAX_FACTS,
      items: {
        oneOf: [
          { type: 'object', properties: fact },
          { type: 'object', properties: { ...fact, negated: { const: true } } },
        ],
      },
    };
  },
  query: (language: Language) => {
    const [subject, object] = [{ subject: string }, { object: string }];
    const asked = { verb: verb(language) };
    const forms = [{}, subject, { ...subject, ...asked }, { ...asked, ...object }, { ...subject, ...asked, ...object }];
    return { oneOf: forms.map((properties) => ({ type: 'object', properties })) };
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
    const language = detectLanguage(input);
    const isAsking = /[?¿]/.test(input);
    const [first, second] = isAsking ? (['query', 'extract'] as const) : (['extract', 'query'] as const);
    return (await this.#try(first, input, language, signal)) ?? (await this.#try(second, input, language, signal));
  }

  #try(task: 'extract' | 'query', input: string, language: Language, signal?: AbortSignal) {
    return task === 'extract' ? this.extract(input, language, signal) : this.query(input, language, signal);
  }

  /** The facts of a statement. */
  async extract(input: string, language: Language, signal?: AbortSignal): Promise<Understanding | undefined> {
    const said = extracted.safeParse(await this.#write('extract', input, language, signal));
    if (!said.success || said.data.length === 0) return undefined;
    const facts: Required<Pattern>[] = [];
    const retract: Required<Pattern>[] = [];
    for (const { negated, ...fact } of said.data) {
      const pattern = isSaidIn(input, fact, language) ? storedPattern(fact, language) : undefined;
      if (!pattern?.subject || !pattern.verb || !pattern.object) return undefined;
      const { subject, verb, object } = pattern;
      (negated ? retract : facts).push({ subject, verb, object });
    }
    return { kind: 'statement', language, facts, retract, ignored: [] };
  }

  /** What a question asks for. */
  async query(input: string, language: Language, signal?: AbortSignal): Promise<Understanding | undefined> {
    const said = queried.safeParse(await this.#write('query', input, language, signal));
    if (!said.success) return undefined;
    const { subject, verb, object } = said.data;
    const asked = askedBy(subject, verb, object);
    const pattern = isSaidIn(input, said.data, language) ? storedPattern(said.data, language) : undefined;
    if (!asked || !pattern) return undefined;
    const { object: _, ...anyObject } = pattern;
    const patterns =
      asked === 'whether'
        ? [pattern, anyObject]
        : asked === 'everything'
          ? [pattern, { object: pattern.subject ?? '' }]
          : [pattern];
    return { kind: 'question', language, asked, patterns };
  }

  async #write(task: 'extract' | 'query', input: string, language: Language, signal?: AbortSignal): Promise<unknown> {
    const output = await this.#model.complete(taskPrompt(task, input), {
      maxTokens: MAX_OUTPUT_TOKENS,
      temperature: 0,
      jsonSchema: OUTPUT_SCHEMAS[task](language),
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

function askedBy(subject?: string, verb?: string, object?: string): Asked | undefined {
  if (subject && verb) return object ? 'whether' : 'object';
  if (verb && object) return 'subject';
  return subject && !verb && !object ? 'everything' : undefined;
}

/** A small model invents; what is remembered must have been said: subject and object are words of the message. */
function isSaidIn(input: string, { subject, object }: { subject?: string; object?: string }, language: Language) {
  const isSelf = subject !== undefined && storedSubject(subject, language) === SELF;
  const contains = (part: string | undefined) => part === undefined || containsWords(input, part);
  return (isSelf || contains(subject)) && contains(object);
}
