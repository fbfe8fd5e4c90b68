/** Logs and metrics. */
export { GenerationMetrics } from './generation-metrics.ts';
export { createLogger, type Logger } from './log.ts';
export { Metrics } from './metrics.ts';
