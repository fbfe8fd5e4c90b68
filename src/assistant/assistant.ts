import { type ChatTurn, GenerationError, type Generator } from '../generation/index.ts';
import {
  type Answerer,
  type Outcome,
  SELF,
  sayFacts,
  type Understander,
  type Understanding,
} from '../language/index.ts';
import type { EntityMemory, NewFact, Pattern, Triple } from '../memory/index.ts';
import { traced } from '../tracing/index.ts';
import type { ChatAnswer, ChatMessage, ChatOptions, ReplyPiece } from './operations.ts';
import { countTokens, cutOff } from './plain-text.ts';

/** Most facts that one answer is made from. */
const ANSWER_FACTS = 50;
/** Most facts that a model is told before it talks. */
const TALK_FACTS = 20;
/** Most words of a message that are looked up as subjects. */
const TALK_WORDS = 16;
/** Under which verb the name of a subject is stored. */
const NAME_VERB = 'se_llama';

export interface AssistantOptions {
  memory: EntityMemory;
  understander: Understander;
  answerer: Answerer;
  /** Talks about what the memory has no answer to. */
  generator: Generator;
}

interface Result extends Outcome {
  stored: NewFact[];
  recalled: Triple[];
  memory: ChatAnswer['memory'];
}

/** One request, from prompt to answer: understood, stored or looked up in memory, answered from the facts or by a model that talks. */
export class Assistant {
  readonly #memory: EntityMemory;
  readonly #understander: Understander;
  readonly #answerer: Answerer;
  readonly #generator: Generator;

  constructor({ memory, understander, answerer, generator }: AssistantOptions) {
    this.#memory = memory;
    this.#understander = understander;
    this.#answerer = answerer;
    this.#generator = generator;
  }

  /** Answers the last message of the user. The last piece has everything that was done. @throws GenerationError */
  async *reply(
    messages: readonly ChatMessage[],
    options: ChatOptions = {},
    signal?: AbortSignal,
  ): AsyncGenerator<ReplyPiece, void, undefined> {
    const text = messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const understood = await traced('understand', {}, async (span) => {
      const understanding = await this.#understander.understand(text, signal);
      span?.set({ 'sarai.understood.kind': understanding.kind });
      return understanding;
    });
    signal?.throwIfAborted();
    const result = await this.#act(understood);
    const { stored, recalled, forgotten, memory } = result;
    const done = { language: understood.language, stored, recalled, forgotten, memory };
    if (options.format || (understood.kind === 'unknown' && (await this.#canTalk(signal)))) {
      yield* this.#talk(messages, text, done, options, signal);
      return;
    }
    const plain = await this.#answerer.answer(text, understood, result, signal);
    const { pieces, finish } = cutOff(plain, options);
    const written = pieces.join('');
    const promptTokens = messages.reduce((sum, { content }) => sum + countTokens(content), 0);
    const completionTokens = countTokens(written);
    for (const piece of pieces) yield { text: piece };
    const answer = { text: written, model: undefined, finish, promptTokens, completionTokens, ...done };
    yield { text: '', answer };
  }

  /** Whether there is a model that was trained to talk. */
  async #canTalk(signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.#generator.load(signal)).canChat;
    } catch (error) {
      if (error instanceof GenerationError) return false;
      throw error;
    }
  }

  /** Lets the model answer, with the facts about what the message names. */
  async *#talk(
    messages: readonly ChatMessage[],
    text: string,
    done: Pick<ChatAnswer, 'language' | 'stored' | 'recalled' | 'forgotten' | 'memory'>,
    options: ChatOptions,
    signal?: AbortSignal,
  ): AsyncGenerator<ReplyPiece, void, undefined> {
    const facts = await this.#factsFor(text);
    const known = facts.length > 0 ? `\nWhat the user told you before: ${sayFacts(facts, done.language)}` : '';
    const introduction = `You are a helpful assistant. Answer in ${done.language === 'es' ? 'Spanish' : 'English'}.${known}`;
    const turns = [{ role: 'system', text: introduction } as const, ...turnsOf(messages)];
    const generation = await this.#generator.generate({ messages: turns }, { ...options, task: 'chat' }, signal);
    let written = '';
    let completionTokens = 0;
    for await (const { token: _, finish, ...piece } of generation) {
      written += piece.text;
      completionTokens++;
      yield piece;
      if (!finish) continue;
      const { model, promptTokens } = generation;
      const answer = { text: written, model, finish, promptTokens, completionTokens, ...done };
      yield { text: '', answer: { ...answer, recalled: facts } };
    }
  }

  /** What is known about the user, and about what the message names. */
  async #factsFor(text: string): Promise<Triple[]> {
    const words = new Set([SELF, ...(text.match(/[\p{L}\p{N}]{3,}/gu) ?? []).slice(0, TALK_WORDS)]);
    const pages = await Promise.all([...words].map((subject) => this.#memory.recall({ subject, limit: TALK_FACTS })));
    return pages.flatMap(({ triples }) => triples).slice(0, TALK_FACTS);
  }

  async #act(understood: Understanding): Promise<Result> {
    const result: Result = { stored: [], recalled: [], forgotten: 0, retracted: 0, memory: undefined };
    switch (understood.kind) {
      case 'statement':
        for (const pattern of understood.retract) result.retracted += await this.#memory.retract(pattern);
        if (understood.facts.length > 0) await this.#memory.storeMany(understood.facts);
        return { ...result, stored: understood.facts };
      case 'question':
        for (const pattern of understood.patterns) {
          const found = await this.#recall(pattern);
          if (found.recalled.length > 0) return { ...result, ...found };
        }
        return result;
      case 'forget':
        for (const pattern of understood.patterns) result.forgotten += await this.#memory.forget(pattern);
        return result;
      default:
        return result;
    }
  }

  /** Recalls what matches; a subject that was asked for by name is also known as "sister", and the other way round. */
  async #recall(pattern: Pattern): Promise<Pick<Result, 'recalled' | 'memory'>> {
    const { triples, from } = await this.#memory.recall({ ...pattern, limit: ANSWER_FACTS });
    if (triples.length > 0 || pattern.subject === undefined || pattern.verb === NAME_VERB) {
      return { recalled: triples, memory: from };
    }
    const named = await this.#memory.recall({ verb: NAME_VERB, object: pattern.subject, limit: 2 });
    const names = await this.#memory.recall({ subject: pattern.subject, verb: NAME_VERB, limit: 2 });
    const aliases = [...named.triples.map(({ subject }) => subject), ...names.triples.map(({ object }) => object)];
    const [alias] = aliases;
    // Two people of one name: it is not clear who is meant.
    if (alias === undefined || aliases.length > 1) return { recalled: [], memory: from };
    const page = await this.#memory.recall({ ...pattern, subject: alias, limit: ANSWER_FACTS });
    return { recalled: page.triples, memory: page.from };
  }
}

function turnsOf(messages: readonly ChatMessage[]): ChatTurn[] {
  return messages.map(({ role, content }) => ({
    role: role === 'assistant' || role === 'user' ? role : 'system',
    text: content,
  }));
}
