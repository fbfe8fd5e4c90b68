/** What a coordinator knows of its rounds, in a file. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';
import { secureStateSchema } from './secure/index.ts';

const schema = z.strictObject({
  format: z.literal(1),
  /** The round that is under way. */
  round: z
    .strictObject({
      number: z.int().positive(),
      baseVersion: z.int().nonnegative(),
      cohort: z.array(z.string()),
      /** Milliseconds since 1970; with secure aggregation, each stage has its own end. */
      endsAt: z.number(),
      release: z.strictObject({
        mode: z.enum(['poisson', 'full', 'secure']),
        rate: z.number(),
        noise: z.number(),
        clip: z.number(),
        divisor: z.number(),
      }),
      secure: secureStateSchema.optional(),
    })
    .nullable(),
  /** When the next one may begin. */
  nextAt: z.number(),
  /** Number of the last round that was begun; one of which nothing came is not in the ledger. */
  lastRound: z.int().nonnegative().optional(),
});
export type CoordinatorState = Omit<z.output<typeof schema>, 'format'>;
export type Round = NonNullable<CoordinatorState['round']>;

/** @throws FederationError */
export function readCoordinatorState(path: string): CoordinatorState {
  if (!existsSync(path)) return { round: null, nextAt: 0 };
  try {
    const { format: _, ...state } = schema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return state;
  } catch (error) {
    throw new FederationError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

export function writeCoordinatorState(path: string, state: CoordinatorState): void {
  replaceDurably(path, `${JSON.stringify({ format: 1, ...state })}\n`);
}
