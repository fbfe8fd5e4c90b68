import { Counter, Gauge, type Registry } from 'prom-client';
import type { EndedGeneration, GenerationObserver } from '../generation/index.ts';
import type { FallbackReason, SpeculationSnapshot } from '../speculative/index.ts';
import { LatencyHistogram } from './histogram.ts';

const GENERATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Tested tokens that the acceptance rate looks back on, at least. */
const WINDOW = 256;

/** Every reason is there from the beginning, so that its rate is known from the first time on. */
const NO_FALLBACKS = {
  acceptance: 0,
  gain: 0,
  slow: 0,
  lost: 0,
  grammar: 0,
  inexact: 0,
  rollback: 0,
} as const satisfies Record<FallbackReason, 0>;

/** What the decoder counted; undefined while no model is loaded. */
type Statistics = () => SpeculationSnapshot | undefined;

/** The metrics of generation and speculative decoding. */
export class GenerationMetrics implements Pick<GenerationObserver, 'generated'> {
  readonly #generations: Counter<'finish_reason'>;
  readonly #tokens: Counter;
  readonly #prompt: Counter;
  readonly #seconds: LatencyHistogram<never>;
  readonly #firstToken: LatencyHistogram<never>;

  constructor(registry: Registry, statistics: Statistics, exemplars: boolean) {
    const registers = [registry];
    this.#generations = new Counter({
      name: 'sarai_generations_total',
      help: 'Texts that the language model wrote, by how they ended.',
      labelNames: ['finish_reason'],
      registers,
    });
    this.#tokens = new Counter({
      name: 'sarai_generated_tokens_total',
      help: 'Tokens that were generated.',
      registers,
    });
    this.#prompt = new Counter({ name: 'sarai_prompt_tokens_total', help: 'Tokens of prompts.', registers });
    const histogram = (name: string, help: string) =>
      new LatencyHistogram(registry, { name, help, labelNames: [], buckets: GENERATION_BUCKETS }, exemplars);
    this.#seconds = histogram('sarai_generation_seconds', 'Time from the beginning of a generation to its end.');
    this.#firstToken = histogram(
      'sarai_time_to_first_token_seconds',
      'Time from the beginning of a generation to its first token, waiting for its turn included.',
    );
    exposeSpeculation(registry, statistics);
  }

  generated({ finish, promptTokens, tokens, seconds, firstTokenSeconds, traceId }: EndedGeneration): void {
    this.#generations.inc({ finish_reason: finish });
    this.#tokens.inc(tokens);
    this.#prompt.inc(promptTokens);
    this.#seconds.observe({}, seconds, traceId);
    if (firstTokenSeconds !== undefined) this.#firstToken.observe({}, firstTokenSeconds, traceId);
  }
}

function exposeSpeculation(registry: Registry, statistics: Statistics): void {
  const rate = new RecentRate();
  const gauge = (name: string, help: string, value: (counts: SpeculationSnapshot) => number | undefined) => {
    const metric = new Gauge({
      name,
      help,
      registers: [registry],
      // Absent until there is something to say.
      collect: () => {
        metric.remove();
        const counts = statistics();
        const now = counts && value(counts);
        if (now !== undefined) metric.set(now);
      },
    });
  };
  const counter = (
    name: string,
    help: string,
    label: string,
    values: (counts: SpeculationSnapshot) => Record<string, number>,
  ) => {
    const metric = new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect: () => {
        const counts = statistics();
        metric.reset();
        for (const [key, value] of Object.entries(counts ? values(counts) : {})) metric.inc({ [label]: key }, value);
      },
    });
  };
  /** Of all sources of a kind. */
  const perSource = (key: 'drafted' | 'tested' | 'accepted' | 'waitMs') => (counts: SpeculationSnapshot) => {
    const sums: Record<string, number> = { draft: 0, ngram: 0 };
    for (const source of Object.values(counts.sources)) sums[source.kind] = (sums[source.kind] ?? 0) + source[key];
    return key === 'waitMs' ? Object.fromEntries(Object.entries(sums).map(([kind, ms]) => [kind, ms / 1000])) : sums;
  };
  gauge(
    'sarai_speculative_acceptance_rate',
    'Share of the tested proposed tokens that the target accepted, of about the last 256 tested ones.',
    (counts) => rate.of(sum(perSource('tested')(counts)), sum(perSource('accepted')(counts))),
  );
  gauge(
    'sarai_speculative_speedup',
    'Tokens per time with proposals, relative to without, recently.',
    ({ gain }) => gain,
  );
  gauge(
    'sarai_speculative_tokens_per_verification',
    'Tokens that a verification of proposed tokens gave on average.',
    ({ tokensPerVerify }) => tokensPerVerify,
  );
  counter(
    'sarai_speculative_tokens_total',
    'Generated tokens, by where they came from.',
    'origin',
    ({ tokens }) => tokens,
  );
  counter('sarai_speculative_drafted_total', 'Tokens proposed and evaluated.', 'source', perSource('drafted'));
  counter(
    'sarai_speculative_tested_total',
    'Proposed tokens up to the first wrong one.',
    'source',
    perSource('tested'),
  );
  counter('sarai_speculative_accepted_total', 'Proposed tokens that were accepted.', 'source', perSource('accepted'));
  counter(
    'sarai_speculative_wait_seconds_total',
    'Time that the target waited for proposals.',
    'source',
    perSource('waitMs'),
  );
  counter(
    'sarai_speculative_evaluations_total',
    'Evaluations of the target.',
    'kind',
    ({ verifyCalls, plainCalls }) => ({
      verify: verifyCalls,
      plain: plainCalls,
    }),
  );
  counter(
    'sarai_speculative_fallbacks_total',
    'How often speculation ended or was not begun.',
    'reason',
    ({ fallbacks }) => ({ ...NO_FALLBACKS, ...fallbacks }),
  );
}

const sum = (values: Record<string, number>) => Object.values(values).reduce((total, value) => total + value, 0);

/** A rate over the recent past of two counters, whenever it is looked at. */
class RecentRate {
  #samples: { tested: number; accepted: number }[] = [{ tested: 0, accepted: 0 }];

  of(tested: number, accepted: number): number | undefined {
    // Another model counts from zero again.
    if (tested < (this.#samples.at(-1)?.tested ?? 0)) this.#samples = [{ tested: 0, accepted: 0 }];
    if (tested > (this.#samples.at(-1)?.tested ?? 0)) this.#samples.push({ tested, accepted });
    while (this.#samples.length > 2 && tested - (this.#samples[1]?.tested ?? 0) >= WINDOW) this.#samples.shift();
    const [first] = this.#samples;
    return first && tested > first.tested ? (accepted - first.accepted) / (tested - first.tested) : undefined;
  }
}
