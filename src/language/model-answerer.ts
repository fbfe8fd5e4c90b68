import { fold } from '../memory/index.ts';
import { taskPrompt } from './model-understander.ts';
import { saidFact } from './task-format.ts';
import { containsWords } from './text.ts';
import type { Outcome, TextModel, Understanding } from './types.ts';

const MAX_OUTPUT_TOKENS = 128;
/** Most facts that the model was trained to answer from. */
const MAX_FACTS = 4;

/**
 * Answers questions with a language model, from the facts that were recalled. Its sentence is taken only when it says
 * every one of them; `undefined` otherwise, and for all that is no question with an answer.
 */
export class ModelAnswerer {
  readonly #model: TextModel;

  /** @param model one that `knowsTasks` */
  constructor(model: TextModel) {
    this.#model = model;
  }

  async answer(
    message: string,
    understood: Understanding,
    { recalled }: Outcome,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    if (understood.kind !== 'question' || recalled.length === 0 || recalled.length > MAX_FACTS) return undefined;
    const { language } = understood;
    const facts = recalled.map((fact) => saidFact(fact, language));
    if (facts.includes(undefined)) return undefined;
    const output = await this.#model.complete(taskPrompt('answer', message.trim(), facts.join('; ')), {
      maxTokens: MAX_OUTPUT_TOKENS,
      temperature: 0,
      task: 'answer',
      ...(signal ? { signal } : {}),
    });
    const text = output.trim();
    const saysAll = recalled.every(({ object }) => containsWords(text, object));
    return saysAll && saysWhether(text, understood, recalled) ? text : undefined;
  }
}

/** Whether "yes" and "no" stand where they belong, and nowhere else. */
function saysWhether(
  text: string,
  { asked, patterns }: Extract<Understanding, { kind: 'question' }>,
  recalled: Outcome['recalled'],
): boolean {
  const said = /^(sí|si|yes)\b/iu.test(text) ? true : /^no\b/iu.test(text) ? false : undefined;
  if (asked !== 'whether') return said === undefined;
  const wanted = fold(patterns[0]?.object ?? '');
  return said === recalled.some(({ object }) => fold(object) === wanted);
}
