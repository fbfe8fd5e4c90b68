/** The line "Benchmark": what the whole system uses under mixed load. */
import { readFileSync } from 'node:fs';
import { type BenchReport, reportSchema, runBench } from '../bench/index.ts';
import { type Check, fail, type Outcome, pass } from './check.ts';

/** 9.5 GB, of the source document. */
const RAM_LIMIT_BYTES = 9.5e9;

export const benchmarkCheck: Check = {
  id: 'benchmark',
  line: 'Benchmark: make bench SCENARIO=mixed -> RAM P99 < 9.5 GB',
  async run({ config, benchReport, benchSeconds, signal, onStep }) {
    if (benchReport !== undefined) {
      const report = reportSchema.parse(JSON.parse(readFileSync(benchReport, 'utf8')));
      return report.scenario === 'mixed' ? judge(report) : fail(`${benchReport} is of the scenario ${report.scenario}`);
    }
    return judge(
      await runBench({
        config,
        scenario: 'mixed',
        seconds: benchSeconds,
        load: 1,
        seed: 1,
        limits: { ramP99: RAM_LIMIT_BYTES, errors: 1, p99: {} },
        signal,
        onStep,
        onUpdate: () => {},
      }),
    );
  },
};

function judge({ memory, seconds, errors }: BenchReport): Outcome {
  const { p50, p99, max } = memory.total;
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const detail = `RAM P50 ${gb(p50)}, P99 ${gb(p99)}, max ${gb(max)} of ${memory.samples} samples in ${seconds} s; ${errors.count} errors`;
  return p99 < RAM_LIMIT_BYTES ? pass(detail) : fail(detail);
}
