/** The entity memory. */
export { EntityMemory, type EntityMemoryOptions } from './entity-memory.ts';
export { fold } from './fold.ts';
export { MemoryInputError } from './input.ts';
export { MemoryFileError, MemoryWriteError } from './local-file.ts';
export type { RemoteSql, RemoteStatement, SqlParameter } from './remote-sql.ts';
export { memoryFormat } from './schema.ts';
export { SkillSql, toSqlValue } from './skill-sql.ts';
export type {
  Correction,
  FactSource,
  MemoryObservation,
  MemoryReport,
  NewFact,
  Pattern,
  RecallPage,
  RecallQuery,
  Stored,
  Triple,
} from './types.ts';
