import {
  type Correction,
  type EntityMemory,
  type MemoryReport,
  type NewFact,
  type Pattern,
  type RecallPage,
  type RecallQuery,
  toSqlValue,
} from '../memory/index.ts';
import type { ModelPool, SkillStatusReport } from '../pool/index.ts';
import {
  decodeModel,
  type EvaluationReport,
  type Explanation,
  type FeedbackRecord,
  type RequestFeedback,
  type RouterService,
  type TrainReport,
  type UserFeedback,
} from '../router/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { Attributes } from '../tracing/index.ts';
import type { Assistant } from './assistant.ts';
import { measured } from './measured.ts';
import type {
  ChatAnswer,
  ChatMessage,
  ChatOptions,
  Operations,
  ReplyPiece,
  SkillCall,
  SkillCallAnswer,
} from './operations.ts';

interface Parts {
  assistant: Assistant;
  memory: EntityMemory;
  pool: ModelPool;
  metrics: Metrics;
  router: RouterService;
  feedback: RequestFeedback;
}

/** The operations of the Phoenix inside this process. */
export class LocalOperations implements Operations {
  readonly #assistant: Assistant;
  readonly #memory: EntityMemory;
  readonly #pool: ModelPool;
  readonly #metrics: Metrics;
  readonly #router: RouterService;
  readonly #feedback: RequestFeedback;

  constructor({ assistant, memory, pool, metrics, router, feedback }: Parts) {
    this.#assistant = assistant;
    this.#memory = memory;
    this.#pool = pool;
    this.#metrics = metrics;
    this.#router = router;
    this.#feedback = feedback;
  }

  reply(messages: readonly ChatMessage[], options?: ChatOptions, signal?: AbortSignal): AsyncIterable<ReplyPiece> {
    // https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-agent-spans.md
    const attributes = {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.provider.name': 'phoenix',
      'gen_ai.agent.name': 'phoenix',
      'gen_ai.request.model': 'phoenix',
      'gen_ai.output.type': options?.format && options.format.kind !== 'gbnf' ? 'json' : 'text',
    };
    const attributesOf = ({ answer }: ReplyPiece) => answer && spanAttributes(answer);
    return this.#metrics.requests.observe({ attributes, attributesOf, signal }, () =>
      measured(this.#assistant.reply(messages, options, signal)),
    );
  }

  async chat(messages: readonly ChatMessage[], options?: ChatOptions, signal?: AbortSignal): Promise<ChatAnswer> {
    for await (const { answer } of this.reply(messages, options, signal)) if (answer) return answer;
    throw new Error('the assistant gave no answer');
  }

  recall(query: RecallQuery): Promise<RecallPage> {
    return this.#memory.recall(query);
  }

  history(query: RecallQuery): Promise<RecallPage> {
    return this.#memory.history(query);
  }

  async store(facts: readonly NewFact[]): Promise<number> {
    return (await this.#memory.storeMany(facts)).stored;
  }

  correct(correction: Correction): Promise<boolean> {
    return this.#memory.correct(correction);
  }

  forget(pattern: Pattern, everything: boolean): Promise<number> {
    return this.#memory.forget(pattern, { everything });
  }

  rotate(days: number): Promise<number> {
    return this.#memory.rotate(days);
  }

  vacuum(): Promise<void> {
    return this.#memory.vacuum();
  }

  memoryStats(): Promise<MemoryReport> {
    return Promise.resolve(this.#memory.stats());
  }

  exportMemory(): AsyncIterable<string> {
    return this.#memory.export();
  }

  importMemory(lines: AsyncIterable<string>): Promise<number> {
    return this.#memory.import(lines);
  }

  listSkills(): Promise<SkillStatusReport[]> {
    return this.#pool.status();
  }

  async skillStatus(name: string): Promise<SkillStatusReport> {
    const [report] = await this.#pool.status(name);
    if (!report) throw new Error(`skill ${name} has no status`);
    return report;
  }

  async startSkill(name: string): Promise<SkillStatusReport> {
    await this.#pool.start(name);
    return await this.skillStatus(name);
  }

  stopSkill(name: string): Promise<boolean> {
    return this.#pool.stop(name);
  }

  async restartSkill(name: string): Promise<SkillStatusReport> {
    await this.#pool.restart(name);
    return await this.skillStatus(name);
  }

  reloadSkill(name: string): Promise<boolean> {
    return this.#pool.reload(name);
  }

  skillLogs(name: string, lines: number): Promise<string[]> {
    return this.#pool.logs(name, lines);
  }

  async callSkill(name: string, call: SkillCall): Promise<SkillCallAnswer> {
    const { prompt, maxTokens = 0, timeoutMs, context = {}, parameters, grants } = call;
    const sql = parameters && {
      parameters: parameters.map(toSqlValue),
      named: {},
      transaction: [],
      rowsAsArrays: false,
    };
    const answer = await this.#pool
      .client(name)
      .infer({ prompt, maxTokens, context, ...(sql ? { sql } : {}) }, { timeoutMs, grants });
    return {
      text: answer.text,
      model: answer.model,
      finishReason: answer.finishReason,
      latencyMs: answer.latencyMs,
    };
  }

  explainRoute(text: string): Promise<Explanation> {
    return this.#router.explain(text);
  }

  trainRouter(): Promise<TrainReport> {
    return this.#router.train();
  }

  evaluateRouter(): Promise<EvaluationReport> {
    return this.#router.evaluate();
  }

  async useRouterWeights(model: Uint8Array | undefined): Promise<void> {
    await this.#router.setWeights(model && decodeModel(model).weights);
  }

  async giveFeedback(feedback: UserFeedback): Promise<number> {
    return this.#feedback.said(feedback);
  }

  async listFeedback(limit?: number): Promise<FeedbackRecord[]> {
    return this.#feedback.list(limit);
  }

  async clearFeedback(id?: number): Promise<number> {
    const cleared = this.#feedback.clear(id);
    if (cleared > 0) this.#router.learnSoon();
    return cleared;
  }
}

function spanAttributes({ model, finish, promptTokens, completionTokens, language, memory }: ChatAnswer): Attributes {
  return {
    'gen_ai.response.finish_reasons': [finish],
    'gen_ai.usage.input_tokens': promptTokens,
    'gen_ai.usage.output_tokens': completionTokens,
    'sarai.language': language,
    ...(model !== undefined && { 'gen_ai.response.model': model }),
    ...(memory !== undefined && { 'sarai.memory.from': memory }),
  };
}
