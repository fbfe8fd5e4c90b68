import { type Logger, pino } from 'pino';
import { currentSpan } from '../tracing/index.ts';

export type { Logger };

/** The assistant's log: JSON lines on standard error, with secrets removed wherever they may stand. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: undefined,
      // By their names in logs: https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
      mixin: () => {
        const span = currentSpan();
        return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
      },
      redact: { paths: ['token', '*.token', '*.ownerToken', 'req.headers.authorization'], censor: '[removed]' },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
