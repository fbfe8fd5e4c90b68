import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type {
  ChatAnswer,
  ChatMessage,
  ChatOptions,
  Operations,
  ReplyPiece,
  SkillCall,
  SkillCallAnswer,
} from '../assistant/index.ts';
import type { Correction, MemoryReport, NewFact, Pattern, RecallPage, RecallQuery } from '../memory/index.ts';
import type { SkillStatusReport } from '../pool/index.ts';
import type { EvaluationReport, Explanation, FeedbackRecord, TrainReport, UserFeedback } from '../router/index.ts';
import { readReply, requestOptions } from './chat-stream.ts';
import { CliError } from './errors.ts';

/** How long one may take to say what it measures, in milliseconds. */
const METRICS_TIMEOUT_MS = 10_000;

/** Asks a running Phoenix over HTTP. */
export class RemoteOperations implements Operations {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #hint: string;

  /** @param hint what to do when it does not answer */
  constructor(url: string, token: string | undefined, hint = '') {
    this.#hint = hint;
    this.#url = url;
    this.#token = token;
  }

  async *reply(
    messages: readonly ChatMessage[],
    options: ChatOptions = {},
    signal?: AbortSignal,
  ): AsyncGenerator<ReplyPiece, void, undefined> {
    const body = JSON.stringify({
      model: 'phoenix',
      messages,
      stream: true,
      stream_options: { include_usage: true },
      phoenix: { origins: true },
      ...requestOptions(options),
    });
    const headers = { 'content-type': 'application/json' };
    const response = await this.#request('POST', '/v1/chat/completions', { body, headers, signal: signal ?? null });
    if (response.body) yield* readReply(response.body);
  }

  async chat(messages: readonly ChatMessage[], options?: ChatOptions, signal?: AbortSignal): Promise<ChatAnswer> {
    for await (const { answer } of this.reply(messages, options, signal)) if (answer) return answer;
    throw new CliError(`${this.#url} gave no answer`);
  }

  recall(query: RecallQuery): Promise<RecallPage> {
    return this.#json('GET', `/api/memory?${parameters(query)}`);
  }

  history(query: RecallQuery): Promise<RecallPage> {
    return this.#json('GET', `/api/memory/history?${parameters(query)}`);
  }

  async store(facts: readonly NewFact[]): Promise<number> {
    return (await this.#json<{ stored: number }>('POST', '/api/memory', { facts })).stored;
  }

  async correct(correction: Correction): Promise<boolean> {
    return (await this.#json<{ corrected: boolean }>('POST', '/api/memory/correct', correction)).corrected;
  }

  async forget(pattern: Pattern, everything: boolean): Promise<number> {
    const query = parameters({ ...pattern, ...(everything ? { everything } : {}) });
    return (await this.#json<{ forgotten: number }>('DELETE', `/api/memory?${query}`)).forgotten;
  }

  async rotate(days: number): Promise<number> {
    return (await this.#json<{ removed: number }>('POST', '/api/memory/rotate', { days })).removed;
  }

  async vacuum(): Promise<void> {
    await this.#json('POST', '/api/memory/vacuum', {});
  }

  memoryStats(): Promise<MemoryReport> {
    return this.#json('GET', '/api/memory/stats');
  }

  async *exportMemory(): AsyncGenerator<string> {
    const response = await this.#request('GET', '/api/memory/export');
    if (response.body) yield* createInterface({ input: Readable.fromWeb(response.body as never) });
  }

  async importMemory(lines: AsyncIterable<string>): Promise<number> {
    const body = Readable.from(
      (async function* () {
        for await (const line of lines) yield `${line}\n`;
      })(),
    );
    const response = await this.#request('POST', '/api/memory/import', {
      body: Readable.toWeb(body) as never,
      duplex: 'half',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    return ((await response.json()) as { imported: number }).imported;
  }

  async listSkills(): Promise<SkillStatusReport[]> {
    return (await this.#json<{ skills: SkillStatusReport[] }>('GET', '/api/skills')).skills;
  }

  skillStatus(name: string): Promise<SkillStatusReport> {
    return this.#json('GET', skillPath(name));
  }

  startSkill(name: string): Promise<SkillStatusReport> {
    return this.#json('POST', skillPath(name, 'start'), {});
  }

  async stopSkill(name: string): Promise<boolean> {
    return (await this.#json<{ stopped: boolean }>('POST', skillPath(name, 'stop'), {})).stopped;
  }

  restartSkill(name: string): Promise<SkillStatusReport> {
    return this.#json('POST', skillPath(name, 'restart'), {});
  }

  async reloadSkill(name: string): Promise<boolean> {
    return (await this.#json<{ reloaded: boolean }>('POST', skillPath(name, 'reload'), {})).reloaded;
  }

  async skillLogs(name: string, lines: number): Promise<string[]> {
    return (await this.#json<{ lines: string[] }>('GET', `${skillPath(name, 'logs')}?lines=${lines}`)).lines;
  }

  callSkill(name: string, call: SkillCall): Promise<SkillCallAnswer> {
    return this.#json('POST', skillPath(name, 'call'), call);
  }

  /** What it measures, as Prometheus reads it. */
  async metrics(signal?: AbortSignal): Promise<string> {
    const patience = AbortSignal.timeout(METRICS_TIMEOUT_MS);
    return await (
      await this.#request('GET', '/metrics', { signal: signal ? AbortSignal.any([signal, patience]) : patience })
    ).text();
  }

  explainRoute(text: string): Promise<Explanation> {
    return this.#json('POST', '/api/router/explain', { text });
  }

  trainRouter(): Promise<TrainReport> {
    return this.#json('POST', '/api/router/train', {});
  }

  evaluateRouter(): Promise<EvaluationReport> {
    return this.#json('GET', '/api/router/evaluation');
  }

  async useRouterWeights(model: Uint8Array | undefined): Promise<void> {
    const encoded = model === undefined ? null : Buffer.from(model).toString('base64');
    await this.#json('POST', '/api/router/weights', { model: encoded });
  }

  async giveFeedback({ requestId, ...feedback }: UserFeedback): Promise<number> {
    return (await this.#json<{ id: number }>('POST', '/api/feedback', { request_id: requestId, ...feedback })).id;
  }

  async listFeedback(limit?: number): Promise<FeedbackRecord[]> {
    return (await this.#json<{ feedback: FeedbackRecord[] }>('GET', `/api/feedback?${parameters({ limit })}`)).feedback;
  }

  async clearFeedback(id?: number): Promise<number> {
    const path = id === undefined ? '/api/feedback' : `/api/feedback/${id}`;
    return (await this.#json<{ deleted: number }>('DELETE', path)).deleted;
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    const init = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {};
    return (await (await this.#request(method, path, init)).json()) as T;
  }

  async #request(method: string, path: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await fetch(new URL(path, this.#url), { ...init, method, headers });
    } catch (error) {
      throw new CliError(
        `the Phoenix at ${this.#url} does not answer: ${((error as Error).cause as Error)?.message ?? error}${this.#hint}`,
      );
    }
    if (response.ok) return response;
    const text = await response.text();
    throw new CliError(messageOf(text) ?? `${this.#url} answered ${response.status}`);
  }
}

function messageOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    return undefined;
  }
}

function skillPath(name: string, action?: string): string {
  return `/api/skills/${encodeURIComponent(name)}${action ? `/${action}` : ''}`;
}

function parameters(values: object): string {
  const names: Record<string, string> = { asOf: 'as_of' };
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    entries.map(([name, value]): [string, string] => [names[name] ?? name, String(value)]),
  ).toString();
}
