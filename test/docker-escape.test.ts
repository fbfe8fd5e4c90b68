/** Every escape attempt, against containers of a real engine. */
import { describeEscapes } from './support/escapes.ts';
import { containerLevel } from './support/level.ts';

describeEscapes(containerLevel());
