/** Figures of one thing that was measured, one for each round. */
export interface Figure {
  name: string;
  unit: string;
  rounds: number[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Times of many runs of something, one after the other, in microseconds. */
export async function timesOf(runs: number, run: (n: number) => Promise<unknown> | unknown): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < runs; n++) {
    const started = performance.now();
    await run(n);
    times.push((performance.now() - started) * 1000);
  }
  return times;
}

/** How many runs end in a second with some of them under way at once. */
export async function rateOf(runs: number, inFlight: number, run: () => Promise<unknown>): Promise<number> {
  let left = runs;
  const started = performance.now();
  const worker = async () => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return runs / ((performance.now() - started) / 1000);
}

/** A table of medians with their spread over the rounds. */
export function report(title: string, figures: readonly Figure[], ratios: readonly string[] = []): string {
  const rows = figures.map(({ name, unit, rounds }) => {
    const spread = `${format(Math.min(...rounds))} to ${format(Math.max(...rounds))}`;
    return `  ${name.padEnd(58)} ${format(median(rounds)).padStart(9)} ${unit.padEnd(10)} (${spread}, ${rounds.length} rounds)`;
  });
  return [title, ...rows, ...ratios.map((ratio) => `  ${ratio}`), ''].join('\n');
}

export function ratio(what: string, a: Figure | undefined, b: Figure | undefined): string {
  return `${what}: ${(median(a?.rounds ?? []) / median(b?.rounds ?? [])).toFixed(1)}x`;
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** Collects figures by name over several rounds. */
export class Figures {
  readonly #figures = new Map<string, Figure>();

  add(name: string, unit: string, value: number): void {
    const figure = this.#figures.get(name) ?? { name, unit, rounds: [] };
    figure.rounds.push(value);
    this.#figures.set(name, figure);
  }

  get(name: string): Figure | undefined {
    return this.#figures.get(name);
  }

  all(): Figure[] {
    return [...this.#figures.values()];
  }
}
