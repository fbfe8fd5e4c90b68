import { type Logger, pino } from 'pino';

export type { Logger };

/** The assistant's log: JSON lines on standard error, with secrets removed wherever they may stand. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: undefined,
      redact: { paths: ['token', '*.token', '*.ownerToken', 'req.headers.authorization'], censor: '[removed]' },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
