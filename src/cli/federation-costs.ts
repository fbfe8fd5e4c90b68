import { epsilonOf } from '../federated/index.ts';
import { toTable } from './table.ts';

/** From this epsilon on, a bound says next to nothing: whoever is in it is told so. */
const WEAK_EPSILON = 8;
/** From this noise on each parameter on, in clipping norms, a federation of routers learned nothing in the benchmark. */
const LARGE_SHARE = 0.04;
/** Rounds that are reckoned with when it is said what they would cost. */
const PLANNED_ROUNDS = [1, 10, 52, 100];

/** What these settings mean for the people in it, before anybody takes part. */
export function federationCosts({
  mode,
  rate,
  noise,
  population,
  delta,
  epsilon: budget,
}: {
  mode: 'poisson' | 'full';
  rate: number;
  noise: number;
  population: number;
  delta: number;
  epsilon: number;
}): string {
  const rows = PLANNED_ROUNDS.map((rounds) => {
    const { epsilon } = epsilonOf([{ mode, noise, rounds, ...(mode === 'poisson' && { rate }) }], delta, {
      step: 1e-3,
    });
    return [String(rounds), epsilon.toPrecision(3), epsilon <= budget ? '' : 'not released: above the budget'];
  });
  const share = noise / (rate * population);
  const lines = [
    `\nWhat it costs each client (delta ${delta.toExponential(0)}):`,
    toTable(['ROUNDS', 'EPSILON', ''], rows),
    `The noise on each parameter is ${share.toPrecision(2)} clipping norms.`,
  ];
  if (share > LARGE_SHARE)
    lines.push(
      `That drowns what is learned: with ${population} clients there is little to gain. More clients, or no federation: each router learns from its own feedback anyway.`,
    );
  if (budget > WEAK_EPSILON)
    lines.push(
      `A budget of ${budget} promises little: who took part can often be told. Below ${WEAK_EPSILON} is advised.`,
    );
  return `${lines.join('\n')}\n`;
}
