/** Every limit, tried against the sandbox. */
import { sandboxLevel } from './support/level.ts';
import { describeLimits } from './support/limits.ts';

describeLimits(await sandboxLevel());
