import { type DurableFormat, jsonFormat, sqliteFormat } from '../../src/state-format/index.ts';

export const MEMORY_VERSION = {
  read: 'SELECT schema_version FROM memory_replica',
  write: (version: number) => `UPDATE memory_replica SET schema_version = ${version}`,
};
/** As a later version might have them. Slow enough to be killed in the middle. */
export const LATER: readonly DurableFormat[] = [
  sqliteFormat(
    'memory.db',
    [
      ['ALTER TABLE memory_fact ADD COLUMN note TEXT'],
      [
        'CREATE TABLE filler (a TEXT)',
        'INSERT INTO filler WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT hex(randomblob(50)) FROM n',
        "UPDATE memory_fact SET note = 'of version 3'",
      ],
    ],
    MEMORY_VERSION,
  ),
  sqliteFormat('router/feedback.db', [['ALTER TABLE feedback ADD COLUMN reason TEXT']]),
  jsonFormat('federated/coordinator/members.json', [(members) => ({ ...(members as object), groups: [] })]),
];
