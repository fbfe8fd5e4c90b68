import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as untilNext } from 'node:timers/promises';
import { heldOutCorpus, trainingCorpus } from './corpus.ts';
import { evaluateWith, type Quality } from './evaluate.ts';
import { HashedFeatures } from './features.ts';
import { FeedbackStore } from './feedback.ts';
import { type Explanation, Router, type RouterSettings } from './router.ts';
import { type RoutedSkill, trainModel } from './training.ts';
import type { Decision, Example, Featurizer, RouterWeights } from './types.ts';
import { RouterWeightsError } from './weights.ts';
import { decodeModel, encodeModel, type RouterModel } from './weights-file.ts';

/** Changes whenever the same examples would give another model. */
const TRAINING_VERSION = 1;
/** After feedback the router learns when no more came for so long, in milliseconds. */
const LEARN_AFTER_MS = 2000;
/** Feedback that makes the router this much worse on the requests that come with Phoenix is not learned from. */
const TOLERATED_LOSS = 0.05;

export interface RouterServiceOptions extends RouterSettings {
  /** Where it keeps its model and the feedback. */
  folder: string;
  /** Every skill that can be chosen. One without examples never is. */
  skills: readonly RoutedSkill[];
  /** Whether it learns from feedback. Default true. */
  learns?: boolean;
  /** Most records of feedback. Default 5000. */
  feedbackLimit?: number;
  /** Features beside the hashed ones, which alone decide until a router with these is trained. Rejects when there are none. */
  richer?: () => Promise<Featurizer>;
  observer?: Partial<RouterObserver>;
}

export interface RouterObserver {
  decided(decision: Decision, seconds: number): void;
  trained(model: RouterModel, seconds: number): void;
  /** Feedback made it worse: it goes on as it was. */
  rejected(before: number, after: number): void;
  /** A file could not be used; the router is trained anew. */
  failed(error: Error): void;
}

/** How a model was made. */
export interface TrainReport {
  skills: readonly string[];
  /** Records of feedback among what it was trained with. */
  feedback: number;
  seconds: number;
  /** False when the kept model is what training would give. */
  isNew: boolean;
}

export interface EvaluationReport {
  threshold: number;
  all: Quality;
  es: Quality;
  en: Quality;
}

/** The router of one installation: trained from manifests, from what comes with Phoenix, and from feedback; kept in a file. */
export class RouterService implements AsyncDisposable {
  readonly feedback: FeedbackStore;
  readonly #options: RouterServiceOptions;
  readonly #hashed = new HashedFeatures();
  #richer: Featurizer | undefined;
  readonly #skills: readonly RoutedSkill[];
  #router: Router | undefined;
  /** Resolved when there is a router. */
  readonly #first = Promise.withResolvers<void>();
  #training: Promise<TrainReport> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RouterServiceOptions) {
    this.#options = options;
    this.#skills = options.skills.filter(({ examples }) => examples.length > 0);
    this.feedback = new FeedbackStore(join(options.folder, 'feedback.db'), options.feedbackLimit ?? 5000);
  }

  /** Every skill that can be chosen. */
  get skillNames(): string[] {
    return this.#skills.map(({ name }) => name).sort();
  }

  /** @param isReady whether a skill could answer at once */
  async decide(text: string, isReady?: (skill: string) => boolean): Promise<Decision> {
    const router = await this.#ready();
    const begun = performance.now();
    const decision = await router.decide(text, isReady);
    this.#options.observer?.decided?.(decision, (performance.now() - begun) / 1000);
    return decision;
  }

  async explain(text: string, limit?: number): Promise<Explanation> {
    return (await this.#ready()).explain(text, limit);
  }

  /** Makes the model as it must be now, unless it is. One that feedback has made worse is not used. */
  train(): Promise<TrainReport> {
    return this.#trainNext(false);
  }

  /** Trains soon, in the background: feedback seldom comes alone. */
  learnSoon(): void {
    if (this.#options.learns === false) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.train().catch((error: Error) => this.#options.observer?.failed?.(error));
    }, LEARN_AFTER_MS);
    this.#timer.unref();
  }

  /** How well it routes the requests that come with Phoenix and that it is not trained with. */
  async evaluate(): Promise<EvaluationReport> {
    await this.train();
    const router = await this.#ready();
    const of = (examples: Example[]) => qualityOfRouter(router, examples);
    const examples = heldOutCorpus();
    return {
      threshold: router.threshold,
      all: await of(examples),
      es: await of(examples.filter(({ language }) => language === 'es')),
      en: await of(examples.filter(({ language }) => language === 'en')),
    };
  }

  /** The weights that decide now. */
  async weights(): Promise<RouterWeights> {
    return (await this.#ready()).model.weights;
  }

  /** What a learner can train with that nobody else has: the feedback. */
  localExamples(): Example[] {
    return this.#options.learns === false ? [] : this.feedback.examples();
  }

  /**
   * Takes weights that were trained elsewhere, from the next decision on and after a restart: those of the skills that they have. What
   * users say here is learned on top. Undefined: what was trained here.
   *
   * @throws RouterWeightsError when they are for other features; nothing changes then
   */
  async setWeights(weights: RouterWeights | undefined): Promise<void> {
    const file = join(this.#options.folder, 'base.bin');
    if (weights === undefined) rmSync(file, { force: true });
    else {
      const { id, dimension } = this.#hashed;
      if (weights.features !== id || weights.dimension !== dimension)
        throw new RouterWeightsError(`router weights: they are for "${weights.features}", not for "${id}"`);
      const calibration = weights.skills.map(() => ({ slope: 1, offset: 0 }));
      writeWhole(file, encodeModel({ weights, calibration, fingerprint: 'base' }));
    }
    await this.#trainNext(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#training?.catch(() => undefined);
    this.feedback[Symbol.dispose]();
  }

  async #ready(): Promise<Router> {
    if (!this.#router) await Promise.race([this.#first.promise, this.#training ?? this.train()]);
    if (!this.#router) throw new Error('the router has no model');
    return this.#router;
  }

  /** @param isWanted the model is used, however well it routes */
  #trainNext(isWanted: boolean): Promise<TrainReport> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One that runs may have begun before the newest feedback.
    this.#training = (this.#training ?? Promise.resolve()).catch(() => undefined).then(() => this.#train(isWanted));
    return this.#training;
  }

  async #train(isWanted: boolean): Promise<TrainReport> {
    const report = await this.#trainWith(this.#hashed, isWanted);
    if (!this.#options.richer) return report;
    try {
      this.#richer ??= await this.#options.richer();
      return await this.#trainWith(this.#richer, isWanted);
    } catch (error) {
      this.#options.observer?.failed?.(error as Error);
      return report;
    }
  }

  async #trainWith(featurizer: Featurizer, isWanted: boolean): Promise<TrainReport> {
    // The assistant has just begun to listen: who called meanwhile is first.
    await untilNext();
    const begun = performance.now();
    const isHashed = featurizer === this.#hashed;
    const file = isHashed ? 'model.bin' : 'model-embeddings.bin';
    const feedback = this.localExamples();
    const input = {
      featurizer,
      feedback,
      skills: this.#skills,
      corpus: trainingCorpus(),
      base: isHashed ? this.#read('base.bin')?.weights : undefined,
    };
    const fingerprint = fingerprintOf(input);
    const skills = this.skillNames;
    const report = (isNew: boolean): TrainReport => ({
      skills,
      feedback: feedback.length,
      seconds: (performance.now() - begun) / 1000,
      isNew,
    });
    // A router with more features is not replaced by one with fewer.
    const present = isHashed && this.#richer ? undefined : this.#router?.model;
    if (present?.fingerprint === fingerprint || (isHashed && this.#richer)) return report(false);
    const kept = this.#read(file);
    if (kept?.fingerprint === fingerprint && kept.weights.skills.join() === skills.join()) {
      this.#use(featurizer, kept);
      return report(false);
    }
    const model = await trainModel(input, fingerprint);
    const isUsed = isWanted || (await this.#isNoWorse(featurizer, model));
    if (isUsed) {
      writeWhole(join(this.#options.folder, file), encodeModel(model));
      this.#use(featurizer, model);
      this.#options.observer?.trained?.(model, (performance.now() - begun) / 1000);
    }
    return report(isUsed);
  }

  #use(featurizer: Featurizer, model: RouterModel): void {
    if (this.#router?.featurizer === featurizer) this.#router.swap(model);
    else this.#router = new Router(featurizer, model, this.#options);
    this.#first.resolve();
  }

  /** Whether a model routes about as well as the present one. */
  async #isNoWorse(featurizer: Featurizer, model: RouterModel): Promise<boolean> {
    if (!this.#router) return true;
    const examples = heldOutCorpus();
    const [before, after] = [
      (await qualityOfRouter(this.#router, examples)).exact,
      (await qualityOfRouter(new Router(featurizer, model, this.#options), examples)).exact,
    ];
    if (after >= before - TOLERATED_LOSS) return true;
    this.#options.observer?.rejected?.(before, after);
    return false;
  }

  #read(name: string): RouterModel | undefined {
    try {
      return decodeModel(readFileSync(join(this.#options.folder, name)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#options.observer?.failed?.(error as Error);
      return undefined;
    }
  }
}

function qualityOfRouter({ featurizer, model, threshold }: Router, examples: readonly Example[]): Promise<Quality> {
  return evaluateWith(featurizer, model.weights, examples, { threshold, calibration: model.calibration });
}

function fingerprintOf(input: Omit<Parameters<typeof trainModel>[0], 'options'>): string {
  const { featurizer, skills, corpus, feedback, base } = input;
  const named = skills.map(({ name, examples }) => [name, examples.map(({ text }) => text)]);
  return createHash('sha256')
    .update(JSON.stringify([TRAINING_VERSION, featurizer.id, named, corpus, feedback, base?.skills]))
    .update(base ? new Uint8Array(base.values.buffer, base.values.byteOffset, base.values.byteLength) : '')
    .digest('hex')
    .slice(0, 32);
}

/** Writes a file so that it is there whole, or as it was before. */
function writeWhole(path: string, content: Uint8Array): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const partial = `${path}.partial`;
  writeFileSync(partial, content, { mode: 0o600, flush: true });
  renameSync(partial, path);
}
