import { memoryFormat } from '../memory/index.ts';
import { feedbackFormat, modelFormat } from '../router/index.ts';
import type { DurableFormat } from '../state-format/index.ts';

/** Every file of a state folder that could not be made again. docs/upgrade.md lists these and all others. */
export const STATE_FORMATS: readonly DurableFormat[] = [
  memoryFormat('memory.db'),
  memoryFormat('skills/sql/data/main.db'),
  feedbackFormat('router/feedback.db'),
  modelFormat('router/base.bin'),
];
