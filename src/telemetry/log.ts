import { type Logger, pino } from 'pino';
import { currentSpan } from '../tracing/index.ts';

export type { Logger };

/** The assistant's log: JSON lines on standard error, with secrets removed wherever they may stand. */
export function createLogger(level: string): Logger {
  const destination = pino.destination({ fd: 2, sync: true });
  // The disk that it is written to may be full: no reason to fail a request.
  destination.on('error', () => {});
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
    destination,
  );
}
