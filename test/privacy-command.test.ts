/** `phoenix privacy`: what would this cost? */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { phoenix, temporaryFolder } from './support/assistant.ts';

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true }));
const run = (...args: string[]) => phoenix(['privacy', ...args], {});
const json = (...args: string[]) => JSON.parse(run(...args, '--json').stdout) as Record<string, number | string>;

describe('phoenix privacy', () => {
  it('says what rounds cost, as a table and as a plot', () => {
    const { code, stdout } = run('--noise', '1.1', '--rate', '0.01', '--rounds', '1000', '--delta', '1e-5');
    assert.equal(code, 0);
    assert.match(stdout, /^epsilon +1\.515\d+ +at delta 1e-5: whether one client took part at all/m);
    assert.match(stdout, /^ +1\.515\d+ +by composing losses \(PLD\)$/m);
    assert.match(stdout, /^ +1\.7117\d+ +by Renyi divergences \(RDP\), order 9\.6$/m);
    assert.match(stdout, /epsilon at delta 1e-5, noise 1\.1\n.*what holds\n *1\.7\d* \|.*\n.* 1 +rounds +1000\n$/s);
  });

  it('says how much noise, and how many rounds, a budget allows', () => {
    const noise = json('--epsilon', '2', '--rounds', '100');
    assert.equal(noise.mode, 'full');
    assert.ok(Math.abs(Number(noise.noise) - 19.938) < 1e-3 && Number(noise.epsilon) <= 2);
    const rounds = json('--epsilon', '2', '--noise', '5', '--mode', 'full');
    assert.ok(Number(rounds.rounds) === 6 && Number(rounds.epsilon) <= 2, JSON.stringify(rounds));
  });

  it('knows trees, other neighbours, chosen orders and infinity', () => {
    assert.match(run('--noise', '8.83', '--rounds', '1600', '--mode', 'tree', '--delta', '1e-6').stdout, /1\.648659/);
    const replaced = json('--noise', '5', '--rounds', '100', '--delta', '1e-5', '--adjacency', 'replace_one');
    assert.ok(Math.abs(Number(replaced.epsilon) - 24.381611) < 1e-6);
    const chosen = json('--noise', '0.7', '--rounds', '2', '--orders', '2,4');
    assert.equal(chosen.order, 4);
    assert.equal(json('--noise', '0', '--rounds', '2').epsilon, 'Infinity');
    assert.match(run('--noise', '0', '--rounds', '2').stdout, /^epsilon +infinite/m);
  });

  it('draws a picture', () => {
    const file = join(folder, 'curve.svg');
    assert.equal(run('--noise', '5', '--rounds', '100', '--svg', file).code, 0);
    const svg = readFileSync(file, 'utf8');
    assert.match(svg, /^<svg xmlns=.*<polyline .*what holds<\/text>.*<\/svg>\n$/s);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  });

  for (const [args, expected] of [
    [[], /say --noise and --rounds, or one of them and --epsilon/],
    [['--epsilon', '1'], /with --epsilon, say --rounds or --noise, too/],
    [['--noise', 'much'], /"much" is no number/],
    [['--noise', '1', '--rounds', '5', '--rate', '2'], /rate: a probability from 0 to 1, not 2/],
    [['--noise', '1', '--rounds', '1.5'], /rounds: a whole number from 0, not 1\.5/],
    [['--noise', '1', '--rounds', '1', '--delta', '2'], /delta: a probability from 0 to 1, not 2/],
    [['--epsilon', '1', '--rounds', '1', '--delta', '0'], /no noise is enough for a delta of 0/],
    [['--noise', '1', '--rounds', '1', '--mode', 'shuffle'], /Allowed choices are poisson, full, tree/],
    [['--noise', '1', '--rounds', '2', '--orders', '1'], /an order is a number above 1, not 1/],
  ] as [string[], RegExp][])
    it(`refuses ${args.join(' ') || 'to guess'}`, () => {
      const { code, stderr } = run(...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
});
