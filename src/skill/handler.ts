/**
 * What the author of a skill writes against: `import { defineSkill, SkillError } from 'phoenix/skill'`.
 *
 * This module has no dependencies, because it is bundled into every skill.
 */
import type { InferRequest, InferResponse } from '../contract/gen/skills.ts';

/** Names of the gRPC status codes that a skill may answer with. */
export type SkillStatus =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS';

/** An error whose message the caller is meant to read. Any other exception reaches the caller as INTERNAL. */
export class SkillError extends Error {
  override readonly name = 'SkillError';
  readonly status: SkillStatus;

  constructor(status: SkillStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Writes one structured line to the skill's log. */
export type SkillLog = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: object) => void;

/** What a skill is given when it starts. */
export interface SkillContext {
  readonly name: string;
  readonly version: string;
  /** Directory that survives restarts, or undefined when the manifest asks for no volume. */
  readonly dataDir: string | undefined;
  /** Paths of the GGUF files of the models that the manifest asks for, by their role: `models.draft`. Read-only. */
  readonly models: Readonly<Record<string, string>>;
  /** Paths of the folders that phoenix.yaml shows to the skill, by the names of the manifest: `mounts.tree`. Read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Directory that is emptied at every start. */
  readonly tmpDir: string;
  /** `config` of the manifest, overridden by `skills.<name>.config` in phoenix.yaml. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: SkillLog;
}

/** What is known about one call beside its request. */
export interface CallContext {
  /** Aborted when the deadline passes, the caller cancels, or the connection breaks. */
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`, which does not jump when somebody sets the time. */
  readonly deadline: number;
  /** Rights beyond the default that the owner of this skill granted to this call. */
  readonly grants: ReadonlySet<string>;
}

/** The answer: a text, or any of the fields of InferResponse; the host fills in latency and metrics. */
export type SkillAnswer = string | Partial<Omit<InferResponse, 'latencyMs' | 'metrics'>>;

/** How a generation elsewhere chooses its tokens. Ids are those of the vocabulary, and the prompt fits into the context. */
export interface DraftSettings {
  readonly prompt: readonly number[];
  readonly seed: number;
  /** 0: the likeliest token. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** How many tokens beyond those that are certain may be proposed. */
  readonly runAhead: number;
}

/** What a drafter is given for one generation. */
export interface DraftCall {
  /** Aborted when the generation has ended, the caller is gone or silent for too long, or the skill stops. */
  readonly signal: AbortSignal;
  /**
   * Sends tokens that may follow the first `position` ones, all that is certain and was proposed before. Never waits; not to be
   * called before `open` has returned.
   */
  propose(position: number, tokens: readonly number[]): void;
  /** Ends the stream with the status of the error. */
  fail(error: unknown): void;
}

/** The drafter's side of one generation. */
export interface DraftSession {
  /** These tokens are certain now and follow the prompt and what was committed before, proposed or not. */
  commit(tokens: readonly number[]): void;
}

/** Proposes tokens for generations elsewhere. */
export interface Drafter {
  readonly model: string;
  /** Digest of the token texts. */
  readonly vocabularyHash: string;
  readonly vocabularySize: number;
  /** Tokens that prompt and generation may have together. */
  readonly contextSize: number;
  /** Begins a generation. Throwing refuses it, for example with RESOURCE_EXHAUSTED. */
  open(settings: DraftSettings, call: DraftCall): DraftSession;
}

/** The status that health checks report. */
export interface SkillHealth {
  serving: boolean;
  /** Why it does not serve, or what an operator should know although it does. */
  message?: string;
}

/** A running skill. */
export interface SkillHandler {
  infer(request: InferRequest, call: CallContext): SkillAnswer | Promise<SkillAnswer>;
  /** Without it a streaming call gets the answer of `infer` as its only piece. */
  inferStream?(request: InferRequest, call: CallContext): AsyncIterable<SkillAnswer> | Iterable<SkillAnswer>;
  /** Without it drafting streams are UNIMPLEMENTED. */
  readonly drafter?: Drafter;
  /** Without it the skill serves from the moment it has started. */
  health?(): SkillHealth;
  /** Called once, after the last call has ended. A hot reload makes the new handler before it closes the old one. */
  close?(): void | Promise<void>;
}

/** Makes a running skill; throwing refuses the start, with the message in the launch error. */
export type SkillFactory = (context: SkillContext) => SkillHandler | Promise<SkillHandler>;

/** Declares a skill: the default export of its entry file. */
export function defineSkill(factory: SkillFactory): SkillFactory {
  return factory;
}
