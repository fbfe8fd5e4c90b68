/** Logs, metrics and traces. */
export { GenerationMetrics } from './generation-metrics.ts';
export type { History, SkillHistory } from './history.ts';
export { createLogger, type Logger } from './log.ts';
export { Metrics } from './metrics.ts';
export { openTracing, type Tracing } from './otlp.ts';
export { RouterMetrics } from './router-metrics.ts';
