/** What a skill cannot do when it tries harder: the same attempts at every level of isolation. */
import { after, before, describe } from 'node:test';
import { Attack } from './attack.ts';
import { fileEscapes } from './escapes-by-file.ts';
import { networkEscapes } from './escapes-by-network.ts';
import { processEscapes } from './escapes-by-process.ts';
import { systemCallEscapes } from './escapes-by-system-call.ts';
import type { Level } from './level.ts';

/** Runs all escape attempts against one level of isolation. */
export function describeEscapes(level: Level): void {
  describe(`trying to leave the ${level.name}`, { skip: level.skip }, () => {
    const attack = new Attack(level);
    before(() => attack.begin());
    after(() => attack.end());

    networkEscapes(attack);
    fileEscapes(attack);
    processEscapes(attack);
    systemCallEscapes(attack);
  });
}
