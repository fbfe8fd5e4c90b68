/** What `phoenix top` shows, and how. */
export { showLive } from './live.ts';
export { type Overview, toOverview } from './overview.ts';
export { type Reading, toReading } from './reading.ts';
export { footLine, headLines, skillLines } from './render.ts';
