/** Durable files have versions: older ones are brought up to date, with a backup before; newer ones are refused. */
export { binaryFormat, type DurableFormat, jsonFormat, jsonLinesFormat, syncFolder } from './format.ts';
export { type SqliteSteps, sqliteFormat, statementsFrom } from './sqlite-format.ts';
export { StateVersionError, upgradeState } from './upgrade.ts';
