/** Every limit, tried against containers of a real engine. */
import { containerLevel } from './support/level.ts';
import { describeLimits } from './support/limits.ts';

describeLimits(containerLevel());
