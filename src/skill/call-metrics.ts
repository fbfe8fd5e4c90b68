import type { MetricsResponse } from '../contract/gen/skills.ts';

/** Upper bounds in seconds of the latency histogram: 50 microseconds to 60 seconds. */
export const LATENCY_BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Counts calls of this skill since it started. */
export class CallMetrics {
  #requests = 0;
  #latencySum = 0;
  #draftsOpen = 0;
  #tokensProposed = 0;
  readonly #errors = new Map<string, number>();
  readonly #counts: number[] = new Array<number>(LATENCY_BOUNDS.length + 1).fill(0);

  /** @param status undefined when the call succeeded. */
  observe(seconds: number, status: string | undefined): void {
    this.#count(status);
    this.#latencySum += seconds;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  draftBegins(): void {
    this.#draftsOpen++;
  }

  proposed(tokens: number): void {
    this.#tokensProposed += tokens;
  }

  /** How long it lasted says nothing of the skill: it is no latency. @param status undefined when it ended well. */
  draftEnds(status: string | undefined): void {
    this.#draftsOpen--;
    this.#count(status);
  }

  #count(status: string | undefined): void {
    this.#requests++;
    if (status !== undefined) this.#errors.set(status, (this.#errors.get(status) ?? 0) + 1);
  }

  snapshot(inFlight: number, queued: number): MetricsResponse {
    const errorsTotal: Record<string, bigint> = {};
    for (const [status, count] of this.#errors) errorsTotal[status] = BigInt(count);
    return {
      requestsTotal: BigInt(this.#requests),
      errorsTotal,
      inFlight: inFlight + this.#draftsOpen,
      queued,
      uptimeSeconds: process.uptime(),
      residentMemoryBytes: BigInt(process.memoryUsage.rss()),
      latency: { bounds: [...LATENCY_BOUNDS], counts: this.#counts.map(BigInt), sumSeconds: this.#latencySum },
      draft: { open: this.#draftsOpen, proposedTokensTotal: BigInt(this.#tokensProposed) },
    };
  }
}
