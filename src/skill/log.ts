import type { SkillLog } from './handler.ts';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;

/** Structured log lines on standard error, in the format of pino, without its start-up cost. */
export function createLog(bindings: object): SkillLog {
  // The disk that it is written to may be full: no reason to end.
  process.stderr.on('error', () => {});
  return (level, message, fields) => {
    const line = { level: LEVELS[level], time: Date.now(), ...bindings, ...fields, msg: message };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
}
