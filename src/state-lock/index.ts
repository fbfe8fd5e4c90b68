/** One process at a time. */
export { lockStateDir, StateDirError } from './state-lock.ts';
