import type { Answerer, Outcome, Understander, Understanding } from '../language/index.ts';
import type { EntityMemory, NewFact, Pattern, Triple } from '../memory/index.ts';
import type { ChatAnswer, ChatMessage } from './operations.ts';

/** Most facts that one answer is made from. */
const ANSWER_FACTS = 50;
/** Under which verb the name of a subject is stored. */
const NAME_VERB = 'se_llama';

export interface AssistantOptions {
  memory: EntityMemory;
  understander: Understander;
  answerer: Answerer;
}

interface Result extends Outcome {
  stored: NewFact[];
  recalled: Triple[];
  memory: ChatAnswer['memory'];
}

/** One request, from prompt to answer: understood, stored or looked up in memory, answered from facts alone. */
export class Assistant {
  readonly #memory: EntityMemory;
  readonly #understander: Understander;
  readonly #answerer: Answerer;

  constructor({ memory, understander, answerer }: AssistantOptions) {
    this.#memory = memory;
    this.#understander = understander;
    this.#answerer = answerer;
  }

  /** Answers the last message of the user. */
  async chat(messages: readonly ChatMessage[], signal?: AbortSignal): Promise<ChatAnswer> {
    const text = messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const understood = await this.#understander.understand(text, signal);
    signal?.throwIfAborted();
    const { stored, recalled, forgotten, retracted, memory } = await this.#act(understood);
    return {
      text: await this.#answerer.answer(text, understood, { recalled, forgotten, retracted }, signal),
      language: understood.language,
      stored,
      recalled,
      forgotten,
      memory,
    };
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
