import { randomUUID } from 'node:crypto';
import { type ChatTurn, GenerationError, type Generator } from '../generation/index.ts';
import {
  type Answerer,
  SELF,
  sayFacts,
  type Understander,
  type Understanding,
  type UnderstandOptions,
} from '../language/index.ts';
import type { EntityMemory, Triple } from '../memory/index.ts';
import type { Decision, RequestFeedback, RouterService } from '../router/index.ts';
import { traced } from '../tracing/index.ts';
import { type Act, act } from './act.ts';
import type { ChatAnswer, ChatMessage, ChatOptions, ReplyPiece } from './operations.ts';
import { countTokens, cutOff } from './plain-text.ts';
import type { SkillAnswer, SkillCalls, SkillUse } from './skill-calls.ts';
import { hasText, sayAnswers, sayNoWriter } from './wording.ts';

/** Most facts that a model is told before it talks. */
const TALK_FACTS = 20;
/** Most words of a message that are looked up as subjects. */
const TALK_WORDS = 16;
/** From this score on, what is for another skill is nothing to remember. */
const SURE = 0.7;

export interface AssistantOptions {
  memory: EntityMemory;
  understander: Understander;
  answerer: Answerer;
  /** Talks about what the memory has no answer to. */
  generator: Generator;
  router: RouterService;
  feedback: RequestFeedback;
  /** Calls the other skills. */
  calls: SkillCalls;
  /** The skill that keeps the memory, and the one that writes texts with the model. */
  roles: { memory: string; writing: string };
  /** Told what came of the skills that a request was routed to. */
  onRouted?: (uses: readonly SkillUse[]) => void;
}

/** What was done for a request, beside the text of its answer. */
type Done = Pick<ChatAnswer, 'requestId' | 'language' | 'stored' | 'recalled' | 'forgotten' | 'memory' | 'skills'>;

/**
 * One request, from prompt to answer. The router says which skills it needs; these are called at once, while the message is understood.
 * What it tells or asks the memory is stored or looked up; the answer is made from the facts, from what the skills said, or by a model
 * that talks.
 */
export class Assistant {
  readonly #parts: AssistantOptions;

  constructor(parts: AssistantOptions) {
    this.#parts = parts;
  }

  /** Answers the last message of the user. The last piece has everything that was done. @throws GenerationError */
  async *reply(
    messages: readonly ChatMessage[],
    { requestId = randomUUID(), ...options }: ChatOptions = {},
    signal?: AbortSignal,
  ): AsyncGenerator<ReplyPiece, void, undefined> {
    const text = messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const { chosen } = await this.#route(text);
    const leaving = new AbortController();
    const stop = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
    try {
      // What must have a certain form the model writes.
      const calling = this.#parts.calls.call(text, options.format ? [] : chosen, options.maxTokens, stop);
      if (this.#isChosen(chosen, this.#parts.roles.writing)) this.#prepareToWrite();
      const understood = await this.#understand(text, { signal, byModel: this.#isForMemory(text, chosen) });
      signal?.throwIfAborted();
      const result = await act(this.#parts.memory, understood);
      const answers = await calling;
      signal?.throwIfAborted();
      const { stored, recalled, forgotten, memory } = result;
      const done = { requestId, language: understood.language, stored, recalled, forgotten, memory };
      const canTalk = options.format !== undefined || (understood.kind === 'unknown' && (await this.#canTalk(signal)));
      // A text that is asked for beside other things is written from what these gave.
      const talks = options.format !== undefined || (canTalk && this.#isToBeWritten(chosen, answers));
      const skills = this.#uses(chosen, answers, { understood, talks });
      // Before the last piece: who has that asks for no more.
      this.#noteRequest(requestId, text, skills);
      if (talks) yield* this.#talk(messages, text, { ...done, skills }, answers, options, signal);
      else
        yield* this.#tell(
          messages,
          await this.#compose(text, understood, result, answers, chosen, signal),
          { ...done, skills },
          options,
        );
    } finally {
      leaving.abort();
    }
  }

  #route(text: string): Promise<Decision> {
    const { router, calls } = this.#parts;
    return traced('route', {}, async (span) => {
      const decision = await router.decide(text, (skill) => calls.isReady(skill));
      span?.set({
        'sarai.route.skills': decision.chosen.map(({ skill }) => skill),
        'sarai.route.scores': decision.scores.map(({ skill, score }) => `${skill}=${score.toFixed(3)}`),
      });
      return decision;
    });
  }

  /** Whether a message that no rule understands may be for the memory: the router thinks so, or is not sure of another skill. */
  #isForMemory(text: string, chosen: Decision['chosen']): boolean {
    const { calls, roles } = this.#parts;
    if (this.#isChosen(chosen, roles.memory)) return !calls.takes(roles.memory, text);
    return (chosen[0]?.score ?? 0) < SURE;
  }

  #understand(text: string, options: UnderstandOptions): Promise<Understanding> {
    return traced('understand', {}, async (span) => {
      const understanding = await this.#parts.understander.understand(text, options);
      span?.set({ 'sarai.understood.kind': understanding.kind });
      return understanding;
    });
  }

  #isChosen(chosen: Decision['chosen'], skill: string): boolean {
    return chosen.some((each) => each.skill === skill);
  }

  /** Whether the model has something to say: nobody else has answered, or a text is wanted. */
  #isToBeWritten(chosen: Decision['chosen'], answers: readonly SkillAnswer[]): boolean {
    return !answers.some(hasText) || this.#isChosen(chosen, this.#parts.roles.writing);
  }

  /** Loads the model while it is found out what to write. */
  #prepareToWrite(): void {
    // Why it cannot be loaded is told where it is needed.
    this.#parts.generator.load().catch(() => undefined);
  }

  /** What came of each skill that was chosen. */
  #uses(
    chosen: Decision['chosen'],
    answers: readonly SkillAnswer[],
    { understood, talks }: { understood: Understanding; talks: boolean },
  ): SkillUse[] {
    const { roles } = this.#parts;
    const isUsed = (skill: string) =>
      (skill === roles.memory && understood.kind !== 'unknown' && understood.kind !== 'smalltalk') ||
      (skill === roles.writing && talks);
    return chosen.map(({ skill, score }) => {
      const {
        text: _,
        missing: __,
        ...use
      } = answers.find((each) => each.skill === skill) ?? {
        ...{ skill, score, text: '' },
        status: isUsed(skill) ? ('answered' as const) : ('unused' as const),
      };
      return use;
    });
  }

  /** The answer without a model that talks: from the facts, and from what skills said. */
  async #compose(
    text: string,
    understood: Understanding,
    result: Act,
    answers: readonly SkillAnswer[],
    chosen: Decision['chosen'],
    signal?: AbortSignal,
  ): Promise<string> {
    const { language } = understood;
    const bySkills = sayAnswers(answers, language);
    const isAnswered = answers.some(hasText);
    const isMissing = understood.kind === 'question' && result.recalled.length === 0;
    // What a skill answers is no longer unknown, and no small talk.
    if (isAnswered && (understood.kind === 'unknown' || understood.kind === 'smalltalk' || isMissing)) return bySkills;
    if (understood.kind === 'unknown' && bySkills !== '') return bySkills;
    if (understood.kind === 'unknown' && this.#isChosen(chosen, this.#parts.roles.writing))
      return sayNoWriter(language);
    const told = isAnswered && understood.kind === 'statement' ? { ...understood, ignored: [] } : understood;
    const plain = await this.#parts.answerer.answer(text, told, result, signal);
    return [plain, bySkills].filter((part) => part !== '').join('\n\n');
  }

  *#tell(
    messages: readonly ChatMessage[],
    plain: string,
    done: Done,
    options: Pick<ChatOptions, 'stop' | 'maxTokens'>,
  ): Iterable<ReplyPiece> {
    const { pieces, finish } = cutOff(plain, options);
    const written = pieces.join('');
    const promptTokens = messages.reduce((sum, { content }) => sum + countTokens(content), 0);
    const completionTokens = countTokens(written);
    for (const piece of pieces) yield { text: piece };
    yield { text: '', answer: { text: written, model: undefined, finish, promptTokens, completionTokens, ...done } };
  }

  /** Feedback can refer to the request from now on. */
  #noteRequest(id: string, text: string, skills: readonly SkillUse[]): void {
    const used = skills.filter(({ status }) => status === 'answered').map(({ skill }) => skill);
    const refusals = skills.flatMap(({ skill, status, code }) =>
      status === 'failed' && code ? [{ skill, code }] : [],
    );
    this.#parts.feedback.answered(id, { text, skills: used }, refusals);
    this.#parts.onRouted?.(skills);
  }

  /** Whether there is a model that was trained to talk. */
  async #canTalk(signal?: AbortSignal): Promise<boolean> {
    try {
      return (await this.#parts.generator.load(signal)).canChat;
    } catch (error) {
      if (error instanceof GenerationError) return false;
      throw error;
    }
  }

  /** Lets the model answer, with the facts about what the message names. */
  async *#talk(
    messages: readonly ChatMessage[],
    text: string,
    done: Done,
    answers: readonly SkillAnswer[],
    options: ChatOptions,
    signal?: AbortSignal,
  ): AsyncGenerator<ReplyPiece, void, undefined> {
    const facts = await this.#factsFor(text);
    const known = facts.length > 0 ? `\nWhat the user told you before: ${sayFacts(facts, done.language)}` : '';
    const found = answers
      .filter(hasText)
      .map(({ skill, text: said }) => `\nWhat the skill ${skill} answered: ${said.trim()}`);
    const language = done.language === 'es' ? 'Spanish' : 'English';
    const introduction = `You are a helpful assistant. Answer in ${language}.${known}${found.join('')}`;
    const turns = [{ role: 'system', text: introduction } as const, ...turnsOf(messages)];
    const generation = await this.#parts.generator.generate({ messages: turns }, { ...options, task: 'chat' }, signal);
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
    const pages = await Promise.all(
      [...words].map((subject) => this.#parts.memory.recall({ subject, limit: TALK_FACTS })),
    );
    return pages.flatMap(({ triples }) => triples).slice(0, TALK_FACTS);
  }
}

function turnsOf(messages: readonly ChatMessage[]): ChatTurn[] {
  return messages.map(({ role, content }) => ({
    role: role === 'assistant' || role === 'user' ? role : 'system',
    text: content,
  }));
}
