import { type DurableFormat, type SqliteSteps, sqliteFormat, statementsFrom } from '../state-format/index.ts';

/** What leads from each version of the tables to the next, here and in the sql skill; what is new stands in TABLES, too. */
const STEPS: SqliteSteps = [];

/**
 * The tables of the memory, the same in the local file and in the sql skill.
 *
 * Facts are matched by the ids of their folded texts (see fold.ts), so index entries are small; the texts as they were told
 * stand in the row itself. Rows whose validity has ended are kept out of the indexes that recall uses, so history costs it
 * nothing. `revision` grows with every change: what the skill has not seen yet is what has a higher one than it knows.
 */
export const SCHEMA_VERSION = STEPS.length + 1;

export const VERSION_QUERY = 'SELECT schema_version FROM memory_replica';
const sayVersion = (version: number) => `UPDATE memory_replica SET schema_version = ${version}`;

/** The tables of the memory in a file: the local one, and that of the sql skill. */
export function memoryFormat(file: string): DurableFormat {
  return sqliteFormat(file, STEPS, { read: VERSION_QUERY, write: sayVersion });
}

/** Brings the copy in the skill up to date. */
export function migrateReplica(from: number): string[] {
  return statementsFrom(STEPS, from, { write: sayVersion });
}

export const TABLES = [
  'CREATE TABLE IF NOT EXISTS memory_term (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)',
  `CREATE TABLE IF NOT EXISTS memory_fact (
    id INTEGER PRIMARY KEY,
    s INTEGER NOT NULL, v INTEGER NOT NULL, o INTEGER NOT NULL,
    subject TEXT NOT NULL, verb TEXT NOT NULL, object TEXT NOT NULL,
    confidence REAL NOT NULL, source TEXT NOT NULL,
    first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, count INTEGER NOT NULL,
    valid_from INTEGER NOT NULL, valid_to INTEGER,
    revision INTEGER NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS memory_replica (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema_version INTEGER NOT NULL,
    store_id TEXT NOT NULL,
    revision INTEGER NOT NULL
  )`,
  `CREATE VIEW IF NOT EXISTS entity_memory AS
    SELECT subject, verb, object, confidence, datetime(last_seen / 1000, 'unixepoch') AS timestamp, source
    FROM memory_fact WHERE valid_to IS NULL`,
];

const BEST_FIRST = 'confidence DESC, last_seen DESC, id DESC';

/** Indexes for what is true now: one for every combination of subject, verb and object. */
export const LIVE_INDEXES: Record<string, string> = {
  memory_live_sv: `(s, v, ${BEST_FIRST})`,
  memory_live_vo: `(v, o, ${BEST_FIRST})`,
  memory_live_s: `(s, ${BEST_FIRST})`,
  memory_live_v: `(v, ${BEST_FIRST})`,
  memory_live_o: `(o, ${BEST_FIRST})`,
  memory_live_all: `(${BEST_FIRST})`,
};

/** Which index answers which combination. One fact for each subject, object and verb: few rows are left to sort for `so`. */
export const INDEX_OF: Record<string, string> = {
  '': 'memory_live_all',
  s: 'memory_live_s',
  v: 'memory_live_v',
  o: 'memory_live_o',
  sv: 'memory_live_sv',
  vo: 'memory_live_vo',
  so: 'memory_live_sov',
  svo: 'memory_live_sov',
};

const LIVE = 'WHERE valid_to IS NULL';

export function createLiveIndex(name: string): string {
  return `CREATE INDEX IF NOT EXISTS ${name} ON memory_fact ${LIVE_INDEXES[name]} ${LIVE}`;
}

/**
 * The statement that creates each index, by its name. `UNIQUE` holds in the local store alone: a replica may see changes of two rows in
 * another order than they happened.
 */
export function indexStatements(unique: 'UNIQUE' | ''): Map<string, string> {
  const past = ['s, v, o', 'v, o', 'o'].map((columns): [string, string] => {
    const name = `memory_past_${columns.replaceAll(', ', '')}`;
    return [name, `CREATE INDEX IF NOT EXISTS ${name} ON memory_fact (${columns}) WHERE valid_to IS NOT NULL`];
  });
  return new Map([
    ['memory_live_sov', `CREATE ${unique} INDEX IF NOT EXISTS memory_live_sov ON memory_fact (s, o, v) ${LIVE}`],
    ...Object.keys(LIVE_INDEXES).map((name): [string, string] => [name, createLiveIndex(name)]),
    ...past,
    ['memory_revision', 'CREATE INDEX IF NOT EXISTS memory_revision ON memory_fact (revision)'],
  ]);
}

/** As many changes, and half as many as there are facts, have indexes built anew: sorting once is faster than keeping them sorted. */
export function paysToRebuild(changes: number, facts: number): boolean {
  return changes >= 20_000 && changes >= facts / 2;
}
