/** From examples to a model: features, weights, calibration. */

import { setImmediate as untilNext } from 'node:timers/promises';
import { randomNumbers } from '../random.ts';
import { fitCalibration, type Outcome, UNCALIBRATED } from './calibrate.ts';
import type { GroupedExample } from './corpus.ts';
import { type Labelled, label, type TrainOptions, trainSteps } from './train.ts';
import type { Calibration, Example, Featurizer, RouterWeights, SparseVector } from './types.ts';
import { dot, emptyWeights, rowOf, similarityTo } from './weights.ts';
import type { RouterModel } from './weights-file.ts';

/** Parts that the examples are divided into for calibration: each is scored by weights that have not seen it. */
const FOLDS = 3;
/** A skill with fewer requests is calibrated together with all others. */
const ENOUGH = 20;
/** Of a skill with few requests each is also learned in parts, so many, in which each word stands with this probability. */
const PARTS = 8;
const KEPT = 0.6;
const PART_WEIGHT = 0.3;
/** Examples that are read between two turns of the event loop: calls have deadlines while the router learns. */
const TURN = 20;
/** A request this similar to one of a skill's own (cosine) is no counterexample for it. */
const SIMILAR = 0.3;

/** A skill that can be chosen, with the requests that its manifest says it is for. */
export interface RoutedSkill {
  name: string;
  examples: readonly { text: string; language?: 'es' | 'en' }[];
}

export interface TrainingInput {
  featurizer: Featurizer;
  skills: readonly RoutedSkill[];
  /** Requests that come with Phoenix. */
  corpus: readonly GroupedExample[];
  /** What users said about requests. */
  feedback?: readonly Example[];
  /** Weights that are taken as they are, but for feedback: of a federation. */
  base?: RouterWeights;
  options?: TrainOptions;
}

/** Trains a model. Other work goes on meanwhile. The same input gives the same model. */
export async function trainModel(input: TrainingInput, fingerprint: string): Promise<RouterModel> {
  const skills = input.skills.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = skills.map(({ name }) => name);
  const examples = await labelledExamples({ ...input, skills }, names);
  const empty = emptyWeights(input.featurizer.id, input.featurizer.dimension, names);
  const { base, options } = input;
  const own = await run(empty, examples, options);
  const weights = base ? await runOnTop(own, base, examples, options) : own;
  return { weights, calibration: await calibrate(empty, examples, options), fingerprint };
}

/** The weights of a base where it has some, with what users said here learned on top. */
async function runOnTop(
  own: RouterWeights,
  base: RouterWeights,
  examples: readonly FoldedExample[],
  options: TrainOptions | undefined,
): Promise<RouterWeights> {
  const { dimension } = own;
  const weights = { ...own, values: Float32Array.from(own.values) };
  const skills = own.skills.filter((skill) => base.skills.includes(skill));
  for (const skill of skills) {
    const row = rowOf(base, skill);
    if (row) weights.values.set(row, own.skills.indexOf(skill) * dimension);
  }
  const told = examples.filter(({ isFeedback }) => isFeedback);
  return await run(weights, told, { ...options, skills });
}

interface FoldedExample {
  labelled: Labelled;
  fold: number;
  /** Made of another example: nothing to measure with. */
  isPart: boolean;
  isFeedback: boolean;
}

async function labelledExamples(input: TrainingInput, names: readonly string[]): Promise<FoldedExample[]> {
  const { featurizer, skills, corpus, feedback = [] } = input;
  const told = feedback.map((example): GroupedExample => ({ ...example, group: example.text }));
  const vectors = new Map<string, SparseVector>();
  const vectorOf = async (text: string) => {
    const vector = vectors.get(text) ?? (await featurizer.featurize(text));
    vectors.set(text, vector);
    return vector;
  };
  const fold = async (
    { group, ...example }: GroupedExample,
    { isPart = false, isFeedback = false } = {},
  ): Promise<FoldedExample> => ({
    labelled: label(example, await vectorOf(example.text), names),
    fold: hashOf(group) % FOLDS,
    isPart,
    isFeedback,
  });
  const examples: FoldedExample[] = [];
  const add = async (example: GroupedExample, kind?: { isPart?: boolean; isFeedback?: boolean }) => {
    examples.push(await fold(example, kind));
    if (examples.length % TURN === 0) await untilNext();
  };
  for (const example of [...skills.flatMap(requestsOf), ...corpus]) await add(example);
  for (const example of skills.flatMap(partsOf)) await add(example, { isPart: true });
  const known = new Set(corpus.flatMap((example) => example.skills));
  for (const { name, examples: requests } of skills) {
    // What comes with Phoenix says nothing about a skill that it does not know, where it resembles that skill's requests.
    if (!known.has(name)) {
      const at = names.indexOf(name);
      for (const { text } of requests) {
        unlabelSimilar(examples, at, await vectorOf(text), featurizer.dimension);
        await untilNext();
      }
    }
  }
  for (const example of told) await add(example, { isFeedback: true });
  return examples;
}

function requestsOf({ name, examples }: RoutedSkill): GroupedExample[] {
  return examples.map(({ text }) => ({ text, skills: [name], group: text }));
}

/** Of a skill with few requests: its name, and parts of each request, so that each word counts by itself. */
function partsOf({ name, examples }: RoutedSkill): GroupedExample[] {
  if (examples.length >= ENOUGH) return [];
  const random = randomNumbers(1);
  const partOf = (text: string) => text.split(/\s+/).filter(() => random() < KEPT);
  const parts = examples.flatMap(({ text }): GroupedExample[] => {
    const some = Array.from({ length: PARTS }, () => partOf(text).join(' '));
    return [...new Set(some)]
      .filter((part) => part !== '' && part !== text)
      .map((part) => ({ text: part, skills: [name], group: text, weight: PART_WEIGHT }));
  });
  const spoken = name.replaceAll('-', ' ');
  return [{ text: spoken, skills: [name], group: spoken }, ...parts];
}

/** What resembles a request of a skill, and is not labelled as one, is labelled as unknown. */
function unlabelSimilar(examples: readonly FoldedExample[], skill: number, own: SparseVector, dimension: number): void {
  const similarity = similarityTo(own, dimension);
  for (const { labelled } of examples)
    if (labelled.labels[skill] === 0 && similarity(labelled.vector) > SIMILAR) labelled.labels[skill] = -1;
}

/** How the raw scores of each skill become probabilities, by scores of examples that the weights have not seen. */
async function calibrate(
  empty: RouterWeights,
  examples: readonly FoldedExample[],
  options: TrainOptions | undefined,
): Promise<Calibration[]> {
  const { skills, dimension } = empty;
  const outcomes = skills.map((): Outcome[] => []);
  for (let fold = 0; fold < FOLDS; fold++) {
    const rest = examples.filter((example) => example.fold !== fold);
    const { values } = await run(empty, rest, options);
    for (const { labelled, isPart } of examples.filter((example) => example.fold === fold)) {
      for (const [n, own] of outcomes.entries()) {
        const truth = labelled.labels[n];
        if (isPart) continue;
        if (truth === 0 || truth === 1) own.push({ score: dot(values, n * dimension, labelled.vector), truth });
      }
    }
  }
  const isEnough = (own: readonly Outcome[]) => own.filter(({ truth }) => truth === 1).length >= ENOUGH;
  const rich = outcomes.filter(isEnough).flat();
  const common = rich.length > 0 ? fitCalibration(rich) : UNCALIBRATED;
  return outcomes.map((own) => (isEnough(own) ? fitCalibration(own) : common));
}

async function run(
  weights: RouterWeights,
  examples: readonly FoldedExample[],
  options: TrainOptions | undefined,
): Promise<RouterWeights> {
  const steps = trainSteps(
    weights,
    examples.map(({ labelled }) => labelled),
    options,
  );
  while (true) {
    const { done, value } = steps.next();
    if (done) return value;
    await untilNext();
  }
}

/** FNV-1a, to divide examples always the same way. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
