import { cpus, totalmem } from 'node:os';
import type { LoadedConfig } from '../config/index.ts';
import { VERSION } from '../version.ts';
import { runLoad } from './load.ts';
import { MemorySampler } from './memory-sampler.ts';
import { type BenchReport, seriesOf, summarize, summarizeMemory } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import { SystemUnderTest } from './system.ts';

/** Between two looks at the memory, in milliseconds. */
const SAMPLE_MS = 250;
/** How long the first one of each operation may take, in milliseconds. */
const PREPARE_MS = 120_000;

export interface Limits {
  /** Bytes: 99th percentile of what the whole system uses. 0: none. */
  ramP99: number;
  /** Share of operations that may fail. */
  errors: number;
  /** Operation -> milliseconds: 99th percentile. */
  p99: Record<string, number>;
}

export interface BenchOptions {
  config: LoadedConfig;
  scenario: string;
  /** Undefined: as long as the scenario says. */
  seconds: number | undefined;
  /** Factor of all rates. */
  load: number;
  seed: number;
  limits: Limits;
  signal: AbortSignal;
  onStep: (step: string) => void;
  /** What changes while a step goes on. */
  onUpdate: (step: string) => void;
}

/** Something that cannot be measured. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}

/**
 * Starts an assistant of its own, puts load on it from outside, and looks at what all of it uses.
 *
 * @throws BenchError when there is no such scenario, or the preparation fails
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { config, load, seed, limits, signal, onStep, onUpdate } = options;
  const scenario = SCENARIOS[options.scenario];
  if (!scenario)
    throw new BenchError(`there is no scenario "${options.scenario}"; there are: ${Object.keys(SCENARIOS).join(', ')}`);
  const isPossible = ({ name }: { name: string }) => name !== 'generate' || config.models.target !== 'none';
  if (!scenario.operations.some(isPossible))
    throw new BenchError(`${options.scenario} needs a language model, and models.target is "none"`);
  const seconds = options.seconds ?? scenario.seconds;
  onStep('starting an assistant to be measured');
  await using system = await SystemUnderTest.start(config, scenario.warm, signal);
  onStep('preparing');
  const operations = scenario.operations.filter(isPossible).map((operation) => ({
    ...operation,
    rate: operation.rate * load,
  }));
  try {
    await scenario.prepare?.(system);
    // Once each, so that what is built and launched for the first one is not measured.
    for (const { run } of operations) await run(system, 0, AbortSignal.any([signal, AbortSignal.timeout(PREPARE_MS)]));
  } catch (error) {
    signal.throwIfAborted();
    throw new BenchError(`the preparation of ${options.scenario} failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const before = await system.metrics();
  const startedAt = new Date().toISOString();
  const what = `${options.scenario} for ${seconds} s`;
  onStep(what);
  const sampler = new MemorySampler(system.pid, SAMPLE_MS, () => system.containers());
  let seen: Awaited<ReturnType<typeof runLoad>>;
  try {
    seen = await runLoad(system, operations, {
      seconds,
      seed,
      signal,
      onProgress: (sent, answered) => {
        const now = sampler.samples.at(-1)?.total ?? 0;
        onUpdate(`${what}: ${answered} of ${sent} answered, RAM ${(now / 1e9).toFixed(2)} GB`);
      },
    });
  } finally {
    sampler.stop();
  }
  signal.throwIfAborted();
  const after = await system.metrics();
  const found: Omit<BenchReport, 'limits' | 'errors'> = {
    format: 1,
    phoenix: VERSION,
    scenario: options.scenario,
    startedAt,
    ...{ seconds, load, seed },
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      node: process.version,
      runtime: system.runtime,
    },
    operations: Object.fromEntries(operations.map(({ name, rate }) => [name, summarize(seen.get(name) ?? [], rate)])),
    memory: summarizeMemory(sampler.samples, SAMPLE_MS),
    hitRate: ratio(before, after, /^sarai_requests_with_skill_total/, /^sarai_requests_total/),
    acceptance: ratio(before, after, /^sarai_speculative_accepted_total/, /^sarai_speculative_tested_total/),
    series: seriesOf(sampler.samples, seen),
  };
  const errors = errorsOf(found.operations);
  return { ...found, errors, limits: judge({ ...found, errors }, limits) };
}

/** How much one counter grew for each of another; null when the other did not. */
function ratio(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  part: RegExp,
  whole: RegExp,
): number | null {
  const grown = (name: RegExp) => sum(after, name) - sum(before, name);
  return grown(whole) > 0 ? grown(part) / grown(whole) : null;
}

function sum(metrics: ReadonlyMap<string, number>, name: RegExp): number {
  return [...metrics].filter(([each]) => name.test(each)).reduce((total, [, value]) => total + value, 0);
}

function errorsOf(operations: BenchReport['operations']): BenchReport['errors'] {
  const all = Object.values(operations);
  const count = all.reduce((total, { errors }) => total + Object.values(errors).reduce((a, b) => a + b, 0), 0);
  return {
    count,
    share:
      count /
      Math.max(
        1,
        all.reduce((total, each) => total + each.count, 0),
      ),
  };
}

/** What was measured beside what it may be. */
export function judge(
  { memory, errors, operations }: Pick<BenchReport, 'memory' | 'errors' | 'operations'>,
  { ramP99, errors: mostErrors, p99 }: Limits,
): BenchReport['limits'] {
  const row = (name: string, limit: number, value: number | null | undefined) => ({
    name,
    limit,
    value: value ?? null,
    // What was not measured is not known to be within a limit.
    ok: typeof value === 'number' && value <= limit,
  });
  return [
    ...(ramP99 > 0 ? [row('RAM P99, GB', ramP99 / 1e9, memory.total.p99 / 1e9)] : []),
    row('share of errors', mostErrors, errors.share),
    ...Object.entries(p99).map(([name, limit]) => row(`${name} P99, ms`, limit, operations[name]?.latency?.p99)),
  ];
}
