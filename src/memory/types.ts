/** The vocabulary of the entity memory. Times are milliseconds since the epoch, UTC. */

/** Where a fact came from. */
export type FactSource = 'user_input' | 'rag' | 'skill';

/** A fact as it is handed in. */
export interface NewFact {
  subject: string;
  verb: string;
  object: string;
  /** How sure we are, 0 to 1. Default 1. */
  confidence?: number;
  /** Default `user_input`. */
  source?: FactSource;
  /** When the fact was observed. Default: now. */
  at?: number;
}

/** A fact as it is remembered: one row per subject, verb and object that hold at the same time. */
export interface Triple {
  subject: string;
  verb: string;
  object: string;
  confidence: number;
  source: FactSource;
  firstSeen: number;
  lastSeen: number;
  /** How often it was told. */
  count: number;
  /** True from here (inclusive) ... */
  validFrom: number;
  /** ... to here (exclusive); null while it is still true. */
  validTo: number | null;
}

/** Which facts: any combination of the three; a part that is left out matches everything. */
export interface Pattern {
  subject?: string;
  verb?: string;
  object?: string;
}

/** A page of facts, best first: confidence descending, then last seen descending. */
export interface RecallQuery extends Pattern {
  /** Default 100, at most 10,000. */
  limit?: number;
  /** `cursor` of the page before. */
  cursor?: string;
  /** What was true at this moment instead of what is true now. */
  asOf?: number;
  /** Facts of which subject, verb or object contains this; it stands alone, beside `limit`. The local copy answers. */
  text?: string;
}

export interface RecallPage {
  triples: Triple[];
  /** Pass it to `recall` for the next page; undefined on the last one. */
  cursor: string | undefined;
  /** Who answered: the sql skill, or the local copy while that is not there or not up to date. */
  from: 'skill' | 'local';
}

/** A fact that is replaced by another. */
export interface Correction {
  /** The fact as it is now. */
  from: Required<Pattern>;
  to: Required<Pattern>;
  /** It was never true, and is forgotten; otherwise it was true until now, and stays in the history. */
  wasWrong: boolean;
}

/** What became of facts that were stored. */
export interface Stored {
  /** How many. */
  stored: number;
  /** Where they are safe: in the sql skill too, or in the local journal until that is back. */
  durable: 'skill' | 'local';
}

/** One operation that succeeded. */
export interface MemoryObservation {
  operation: 'store' | 'recall' | 'search' | 'history' | 'correct' | 'retract' | 'forget' | 'rotate' | 'import';
  /** Who answered a question; whether a change reached the sql skill at once, or only the local journal. */
  from: 'skill' | 'local';
  seconds: number;
  /** The trace that it is part of, if that is kept. */
  traceId: string | undefined;
}

/** An operation that failed for a reason that is not the caller's. */
export interface MemoryFailure {
  operation: MemoryObservation['operation'];
  error: unknown;
}

export interface MemoryGauges {
  /** What is true now. After many changes in a short time, a moment old. */
  facts: number;
  /** Changes that the sql skill has not seen yet. */
  pending: number;
  /** Changes that the sql skill took over since the memory was opened. */
  replicated: number;
  /** The local copy answers although there is a skill: since an operation had to do without it, the skill has not caught up. */
  fallback: boolean;
}

export interface MemoryReport {
  /** What is true now. */
  facts: number;
  /** What was true once. */
  history: number;
  /** Different texts. */
  terms: number;
  /** Size of the local file. */
  bytes: number;
  backend: 'skill' | 'local';
  /** The sql skill runs and knows everything. */
  synchronized: boolean;
  /** Changes that the sql skill has not seen yet. */
  pending: number;
  /** Why the last attempt to reach the sql skill failed; undefined when it did not. */
  error: string | undefined;
  /** Where a damaged local file was put when this memory was opened. */
  quarantined: string | undefined;
}
