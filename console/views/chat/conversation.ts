/** The conversation of this tab: what was said, and what came with each answer. */
import { type ApiError, events, LostError } from '../../lib/api.ts';
import { createKeptStore, createStore } from '../../lib/store.ts';
import type { ChatMessage, NewFact, Origin, Triple, Work } from '../../lib/types.ts';

export interface Piece {
  text: string;
  origin?: Origin;
}

/** A skill that a request was routed to. */
export interface Routed {
  skill: string;
  score: number;
  status: 'answered' | 'failed' | 'unused';
  latencyMs?: number;
  error?: string;
}

/** What the server says of an answer, beside its text. */
export interface Details {
  language: 'es' | 'en';
  stored: NewFact[];
  recalled: Triple[];
  forgotten: number;
  memory?: 'skill' | 'local';
  /** The model that wrote it; absent for an answer by rules. */
  generated_by?: string;
  work: Work & { plainTokensPerSecond?: number };
  /** What feedback calls the request by. */
  request_id?: string;
  /** What the router chose, and what came of it. */
  skills?: Routed[];
}

export interface Turn {
  id: string;
  question: string;
  /** Who was asked. */
  model: string;
  pieces: Piece[];
  state: 'writing' | 'done' | 'stopped' | 'lost' | 'failed';
  /** Why it failed. */
  error?: string;
  cutOff?: boolean;
  tokens?: number;
  details?: Details;
}

interface Chunk {
  choices: { delta: { content?: string }; finish_reason: 'stop' | 'length' | null }[];
  phoenix?: Details & { origin?: Origin };
  usage?: { completion_tokens: number };
}

const isTurns = (value: unknown): value is readonly Turn[] =>
  Array.isArray(value) && value.every((turn) => typeof turn?.question === 'string' && Array.isArray(turn.pieces));
/** Conversations are kept up to so many turns. */
const KEPT_TURNS = 100;

const kept = createKeptStore<readonly Turn[]>('phoenix.conversation', sessionStorage, [], isTurns);
export const turns = createStore<readonly Turn[]>(
  kept.get().map((turn) => (turn.state === 'writing' ? { ...turn, state: 'stopped' } : turn)),
);
export const model = createKeptStore('phoenix.model', sessionStorage, 'phoenix', (value) => typeof value === 'string');

let running: AbortController | undefined;

export function textOf({ pieces }: Turn): string {
  return pieces.map(({ text }) => text).join('');
}

/** Asks, and shows the answer as it comes. */
export async function ask(question: string): Promise<void> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const before = turns.get().slice(-KEPT_TURNS);
  const turn: Turn = { id: crypto.randomUUID(), question, model: model.get(), pieces: [], state: 'writing' };
  turns.set([...before, turn]);
  try {
    const body = {
      model: model.get(),
      messages: [...before.flatMap(toMessages), { role: 'user', content: question }],
      stream: true,
      stream_options: { include_usage: true },
      phoenix: { origins: true },
    };
    const stream = events<Chunk>('POST', '/v1/chat/completions', { body, signal: controller.signal });
    for await (const chunk of stream) change(turn.id, (now) => take(now, chunk));
    change(turn.id, () => ({ state: 'done' }));
  } catch (error) {
    if (controller.signal.aborted) change(turn.id, () => ({ state: 'stopped' }));
    else if (error instanceof LostError) change(turn.id, () => ({ state: 'lost' }));
    else change(turn.id, () => ({ state: 'failed', error: (error as ApiError).message }));
  } finally {
    kept.set(turns.get());
  }
}

/** Ends the answer that is being written. */
export function stop(): void {
  running?.abort();
}

/** Asks the last question again, in place of its answer. */
export function retry(): void {
  const last = turns.get().at(-1);
  if (!last) return;
  turns.set(turns.get().slice(0, -1));
  void ask(last.question);
}

export function startOver(): void {
  stop();
  turns.set([]);
  kept.set([]);
}

function change(id: string, by: (turn: Turn) => Partial<Turn>): void {
  turns.set(turns.get().map((turn) => (turn.id === id ? { ...turn, ...by(turn) } : turn)));
}

function take({ pieces }: Turn, { choices, phoenix, usage }: Chunk): Partial<Turn> {
  const [choice] = choices;
  if (usage) return { tokens: usage.completion_tokens };
  if (choice?.finish_reason && phoenix) return { details: phoenix, cutOff: choice.finish_reason === 'length' };
  const text = choice?.delta.content ?? '';
  if (text === '' && !phoenix?.origin) return {};
  return { pieces: [...pieces, { text, ...(phoenix?.origin && { origin: phoenix.origin }) }] };
}

function toMessages(turn: Turn): ChatMessage[] {
  const answer = textOf(turn);
  return [
    { role: 'user', content: turn.question },
    ...(answer ? [{ role: 'assistant' as const, content: answer }] : []),
  ];
}
