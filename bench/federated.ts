/**
 * `npm run bench -- federated`: what a federation of simulated clients learns for what privacy, beside training with all of their data in one
 * place and beside not training; how well it can be told whether one client took part; time and bytes of a round, in clear and with secure
 * aggregation. Without `--quick` it
 * draws docs/federated.svg.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { svgPlot } from '../src/cli/plot.ts';
import {
  addNoise,
  addTo,
  clipped,
  deltaOf,
  epsilonOf,
  FederatedRouter,
  fromLattice,
  noiseFor,
  type Release,
  SecureRandom,
  toLattice,
} from '../src/federated/index.ts';
import { randomNumbers } from '../src/random.ts';
import {
  type Example,
  evaluate,
  heldOutCorpus,
  type RouterWeights,
  trainingCorpus,
  trainLocal,
} from '../src/router/index.ts';
import { Figures, report } from './measure.ts';
import { benchSecureAggregation } from './secure-aggregation.ts';

const NAMES = ['draft', 'patch-sandbox', 'sql'];
const ROUNDS = 30;
const CLIP = 10;
const DELTA = 1e-5;
const EPSILONS = [0.5, 1, 2, 4, 8];
/** Skills that everybody has requests for. The others are new: what they are asked for, only the people know who ask. */
const KNOWN = ['sql'];
/** Of the groups of requests that resemble each other, those that nothing is trained with. */
const TEST_SHARE = 0.3;
/** Of the others, as far as they are for known skills, those that everybody has. */
const PUBLIC_SHARE = 0.7;
/** Groups, and requests, of one client: of few kinds, and few. */
const GROUPS_PER_CLIENT = 2;
const REQUESTS_PER_CLIENT = 8;
const THRESHOLD = 0.5;
const CANARY_DIMENSION = 32;

export async function benchFederated({ quick }: { quick: boolean }): Promise<Figures> {
  const figures = new Figures();
  const world = await createWorld();
  const populations = quick ? [100] : [100, 300, 1000];
  const curves = [];
  for (const population of populations)
    curves.push({ name: `${population} clients`, points: await curveOf(population, world, figures) });
  const at = (value: number) => EPSILONS.map((epsilon) => [epsilon, value] as const);
  const nobody = world.accuracy(new Float64Array(world.model.spec.dimension));
  const central = centrally(world, populations.at(-1) ?? 0);
  figures.add('right, without training', '%', nobody);
  figures.add(`right, all data of ${populations.at(-1)} in one place`, '%', central);
  const plot = {
    title: `Requests routed rightly after ${ROUNDS} rounds, at delta ${DELTA}`,
    ...{ x: 'epsilon', y: '% right', logX: true },
    curves: [...curves, { name: 'in one place', points: at(central) }, { name: 'no training', points: at(nobody) }],
  };
  if (!quick) writeFileSync(join(import.meta.dirname, '../docs/federated.svg'), svgPlot(plot));
  membership(quick, figures);
  await benchSecureAggregation(world.model.spec.dimension, quick ? 10 : 100, figures);
  process.stdout.write(report('federated rounds', figures.all()));
  return figures;
}

interface World {
  model: FederatedRouter;
  /** Requests that only clients have, by group. */
  groups: Example[][];
  /** Whose requests are looked at. */
  turn: { examples: readonly Example[] };
  /** Requests that everybody has. */
  training: readonly Example[];
  accuracyOf(weights: RouterWeights): number;
  accuracy(parameters: Float64Array): number;
}

async function createWorld(): Promise<World> {
  const random = randomNumbers(3);
  const byGroup = Map.groupBy(trainingCorpus(), ({ group }) => group);
  const shares = { public: [] as Example[][], private: [] as Example[][], test: [] as Example[][] };
  for (const group of byGroup.values()) {
    const isKnown = group.every(({ skills }) => skills.every((skill) => KNOWN.includes(skill)));
    const isTest = random() < TEST_SHARE;
    const isPublic = random() < PUBLIC_SHARE && isKnown;
    shares[isTest ? 'test' : isPublic ? 'public' : 'private'].push(group);
  }
  const training = shares.public.flat().map((example) => ({ ...example, group: example.text }));
  const test = [...shares.test.flat(), ...heldOutCorpus()];
  const turn: World['turn'] = { examples: [] };
  const home = { examples: async () => turn.examples, use: async () => undefined };
  const skills = NAMES.map((name) => ({ name, examples: [{ text: name.replaceAll('-', ' ') }] }));
  const model = await FederatedRouter.open(skills, home, { training, heldOut: [] });
  const accuracyOf = (weights: RouterWeights) => 100 * evaluate(weights, test, { threshold: THRESHOLD }).exact;
  const accuracy = (parameters: Float64Array) => accuracyOf(model.weightsOf(parameters));
  return { model, training, groups: shares.private, turn, accuracyOf, accuracy };
}

/** Each client has a few requests of a few groups, which are mostly for one skill. */
function clientsOf(population: number, groups: readonly Example[][]): Example[][] {
  const random = randomNumbers(population);
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)];
  return Array.from({ length: population }, () => {
    const own = Array.from({ length: GROUPS_PER_CLIENT }, () => pick(groups) ?? []);
    return Array.from({ length: REQUESTS_PER_CLIENT }, () => pick(pick(own) ?? [])).filter(
      (example) => example !== undefined,
    );
  });
}

async function curveOf(population: number, world: World, figures: Figures): Promise<[number, number][]> {
  const clients = clientsOf(population, world.groups);
  const { accuracy: exact } = await federated(clients, world, undefined, figures);
  figures.add(`right, ${population} clients, without noise`, '%', exact);
  const points: [number, number][] = [];
  for (const epsilon of EPSILONS) {
    const noise = noiseFor({ epsilon, delta: DELTA }, { mode: 'full', rounds: ROUNDS });
    const { accuracy } = await federated(clients, world, noise, figures);
    figures.add(`right, ${population} clients, epsilon ${epsilon} (noise ${noise.toPrecision(3)})`, '%', accuracy);
    points.push([epsilon, accuracy]);
  }
  return points;
}

/** Rounds as the coordinator and its clients do them, without the network. */
async function federated(
  clients: readonly Example[][],
  { model, turn, accuracy }: World,
  noise: number | undefined,
  figures: Figures,
) {
  const { dimension } = model.spec;
  let parameters = new Float64Array(dimension);
  const random = new SecureRandom();
  for (let round = 0; round < ROUNDS; round++) {
    const sum = new BigInt64Array(dimension);
    let training = 0;
    let adding = 0;
    for (const examples of clients) {
      turn.examples = examples;
      const begun = performance.now();
      const trained = (await model.train(parameters)) ?? parameters;
      const base = parameters;
      const update = toLattice(
        trained.map((value, n) => value - (base[n] ?? 0)),
        CLIP,
      );
      const sent = performance.now();
      addTo(sum, clipped(update));
      training += sent - begun;
      adding += performance.now() - sent;
    }
    const begun = performance.now();
    if (noise !== undefined) addNoise(sum, noise, random);
    const step = fromLattice(sum, CLIP, clients.length);
    parameters = parameters.map((value, n) => value + (step[n] ?? 0));
    if (noise !== undefined && round === ROUNDS - 1) {
      figures.add('a round of one client: training', 'ms', training / clients.length);
      figures.add(`a round of the coordinator, ${clients.length} clients`, 'ms', adding + performance.now() - begun);
      figures.add('sent by one client in a round', 'bytes', dimension * 8);
      figures.add('received by one client in a round', 'bytes', dimension * 4);
    }
  }
  return { accuracy: accuracy(parameters) };
}

/** The router's own training, with what everybody has and all that clients have. */
function centrally({ model, training, groups, accuracyOf }: World, population: number): number {
  const base = model.weightsOf(new Float64Array(model.spec.dimension));
  return accuracyOf(trainLocal(base, [...training, ...clientsOf(population, groups).flat()]));
}

/**
 * Whether one client took part, told by somebody who sees every model and knows everything else, that client's update included: the worst
 * case that the bound is about. The advantage is the largest difference of the rates of right and wrong alarms.
 */
function membership(quick: boolean, figures: Figures): void {
  const trials = quick ? 500 : 4000;
  const releases: Release[] = [
    { mode: 'full', noise: 4, rounds: 10 },
    { mode: 'poisson', noise: 1, rate: 0.1, rounds: 10 },
  ];
  for (const release of releases) {
    const { mode, noise, rounds, rate = 1 } = release;
    const random = new SecureRandom();
    const attack = (takesPart: boolean) => {
      let evidence = 0;
      for (let round = 0; round < rounds; round++) {
        const sum = new BigInt64Array(CANARY_DIMENSION);
        // The others are known, and taken off.
        if (takesPart && random.atRate(rate))
          addTo(sum, toLattice(Float64Array.of(1, ...new Float64Array(CANARY_DIMENSION - 1)), 1));
        addNoise(sum, noise, random);
        const [x = 0] = fromLattice(sum, 1, 1);
        evidence += Math.log1p(rate * Math.expm1((x - 0.5) / noise ** 2));
      }
      return evidence;
    };
    const withIt = Array.from({ length: trials }, () => attack(true));
    const without = Array.from({ length: trials }, () => attack(false));
    const share = (values: number[], above: number) => values.filter((value) => value > above).length / trials;
    // The threshold of the best attack is known: likelier with it than without it.
    const advantage = share(withIt, 0) - share(without, 0);
    // Three standard deviations of what was counted.
    const error = 3 * Math.sqrt(0.5 / trials);
    const bound = deltaOf([release], 0);
    const { epsilon } = epsilonOf([release], DELTA);
    const name = `membership, ${mode}, noise ${noise}, ${rounds} rounds (epsilon ${epsilon.toFixed(2)})`;
    figures.add(`${name}: advantage`, '%', 100 * advantage);
    figures.add(`${name}: bound`, '%', 100 * bound);
    if (advantage - error > bound)
      throw new Error(`${name}: an advantage of ${advantage} is above the bound of ${bound}`);
  }
}
