/** Every escape attempt, against the sandbox. */
import { describeEscapes } from './support/escapes.ts';
import { sandboxLevel } from './support/level.ts';

describeEscapes(await sandboxLevel());
