/** `phoenix bench`: load on a whole system, and what it uses. */
export { compareReports } from './compare.ts';
export { toHtml } from './html.ts';
export { type BenchReport, reportSchema } from './report.ts';
export { BenchError, type BenchOptions, judge, type Limits, runBench } from './run.ts';
export { SCENARIOS } from './scenarios.ts';
