/** All that can go wrong. */
import type { Fault } from './fault.ts';
import { clockJump, killAssistant, openFilesLimit, restartAssistant } from './of-assistant.ts';
import { corruptLocal, corruptSkill, fullDisk, tornLog } from './of-disk.ts';
import { hangEngine, restartEngine } from './of-engine.ts';
import { killSkill, outOfMemory, stopSkill } from './of-skills.ts';
import { garbage, halfOpenSocket, slowSocket } from './of-sockets.ts';

export type { Effects, Fault } from './fault.ts';

export const FAULTS: readonly Fault[] = [
  ...[killSkill, stopSkill, outOfMemory],
  ...[killAssistant, restartAssistant, clockJump, openFilesLimit],
  ...[fullDisk, corruptSkill, corruptLocal, tornLog],
  ...[slowSocket, halfOpenSocket, garbage],
  ...[restartEngine, hangEngine],
];
