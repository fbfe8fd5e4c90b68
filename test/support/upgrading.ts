/** Brings a state folder up to date, until it is killed: `node upgrading.ts FOLDER`. */
import { upgradeState } from '../../src/state-format/index.ts';
import { LATER } from './later-formats.ts';

upgradeState(process.argv[2] ?? '', LATER, (line) => process.stdout.write(`${line}\n`));
