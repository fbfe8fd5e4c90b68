import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { Replica } from '../../test/support/replica.ts';
import { EntityMemory } from './entity-memory.ts';

type Step =
  | { t: 'tell'; mover: number; place: number }
  | { t: 'clock'; ms: number }
  | { t: 'restart' }
  | { t: 'cut'; after: number }
  | { t: 'connect'; waits: boolean }
  /** The local file is what it was so many steps ago; with more of them than there were, it is gone. */
  | { t: 'lose'; steps: number }
  /** The copy in the skill is what it was so many transactions ago. */
  | { t: 'lose-copy'; transactions: number };

const FILES = ['', '-wal'];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ t: fc.constant('tell' as const), mover: fc.nat(2), place: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ t: fc.constant('clock' as const), ms: fc.integer({ min: -5000, max: 5000 }) }) },
  { weight: 2, arbitrary: fc.constant({ t: 'restart' as const }) },
  { weight: 2, arbitrary: fc.record({ t: fc.constant('cut' as const), after: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ t: fc.constant('connect' as const), waits: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ t: fc.constant('lose' as const), steps: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.record({ t: fc.constant('lose-copy' as const), transactions: fc.oneof(fc.nat(12), fc.nat(1000)) }),
  },
);

const tell: Extract<Step, { t: 'tell' }> = { t: 'tell', mover: 0, place: 0 };
/** Rare ones that went wrong before. */
const EXAMPLES: Step[][] = [
  // A loss, an opening that the skill never saw, and another loss.
  [{ t: 'lose', steps: 0 }, tell, tell, { t: 'lose', steps: 1 }],
  // What was moved behind a wrong clock by a merge, and is not any more.
  [
    { t: 'clock', ms: 5000 },
    tell,
    { t: 'lose', steps: 9 },
    { t: 'clock', ms: -3000 },
    tell,
    { t: 'connect', waits: true },
    tell,
    { t: 'lose', steps: 2 },
  ],
  // A new file that took over what the copy had, and then the old one after all.
  [{ t: 'lose', steps: 9 }, tell, { t: 'lose', steps: 9 }, tell, tell, tell, tell, { t: 'lose', steps: 5 }],
  // A copy that went back forgot a history of the file; then the file went back to it, in the middle of taking over what it had lost.
  ...[10, 11, 12].map((after): Step[] => [
    tell,
    { ...tell, mover: 1 },
    { t: 'lose', steps: 1 },
    { t: 'connect', waits: false },
    { t: 'cut', after },
    { t: 'restart' },
    { t: 'connect', waits: true },
    tell,
    { t: 'restart' },
    { t: 'connect', waits: true },
    { t: 'lose-copy', transactions: 40 },
    { t: 'connect', waits: true },
    { t: 'lose', steps: 6 },
  ]),
  // Back to the place before, told after the loss of the one between.
  [
    { ...tell, place: 0 },
    { ...tell, place: 1 },
    { t: 'lose', steps: 1 },
    { ...tell, place: 0 },
  ],
  [
    { ...tell, place: 1 },
    { ...tell, place: 0 },
    { t: 'lose', steps: 1 },
    { ...tell, place: 1 },
  ],
];

/** One assistant, one skill, and whoever moves from place to place. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'phoenix-memory-'));
  readonly replica = new Replica();
  clock = 1_000_000;
  readonly #path = join(this.folder, 'memory.db');
  readonly #told = new Map<string, string[]>();
  readonly #isNew: boolean;
  #memory = this.#open();
  #copies = 0;
  #places = 0;

  /** @param isNew every place is told once; otherwise they return to the same few */
  constructor(isNew: boolean) {
    this.#isNew = isNew;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const its of steps) {
      await this.#do(its);
      const copy = this.#copy(this.#copies++);
      for (const suffix of FILES) if (existsSync(this.#path + suffix)) cpSync(this.#path + suffix, copy + suffix);
    }
    this.replica.connect();
    await this.#synchronize();
    for (const from of ['skill', 'local']) {
      if (from === 'local') this.replica.cut();
      for (const [subject, places] of this.#told) {
        const page = await this.#memory.history({ subject });
        assert.equal(page.from, from);
        if (this.#isNew) {
          const found = page.triples.map(({ object, count }) => `${object} x ${count}`);
          assert.deepEqual(found.toSorted(), places.map((place) => `${place} x 1`).toSorted(), from);
        } else assert.deepEqual(new Set(page.triples.map(({ object }) => object)), new Set(places), from);
        const { triples } = await this.#memory.recall({ subject });
        assert.deepEqual(
          triples.map(({ object }) => object),
          places.slice(-1),
          from,
        );
      }
    }
  }

  async close(): Promise<void> {
    await this.#memory.close();
    rmSync(this.folder, { recursive: true });
  }

  async #do(its: Step): Promise<void> {
    this.clock++;
    if (its.t === 'clock') this.clock += its.ms;
    else if (its.t === 'cut') this.replica.left = its.after;
    else if (its.t === 'connect') {
      this.replica.connect();
      if (its.waits) await this.#synchronize();
    } else if (its.t === 'tell') {
      const subject = `mover ${its.mover}`;
      const place = `place ${this.#isNew ? this.#places++ : its.place}`;
      await this.#memory.storeSvo(subject, 'vive_en', place);
      this.#told.set(subject, [...(this.#told.get(subject) ?? []), place]);
    } else if (its.t === 'restart') await this.#restart();
    else if (its.t === 'lose-copy') {
      this.replica.connect();
      await this.#synchronize();
      this.replica.lose(its.transactions);
    } else await this.#lose(its.steps);
  }

  async #restart(): Promise<void> {
    await this.#memory.close();
    this.#memory = this.#open();
  }

  /** Of what only the local file knows there would be no other copy. */
  async #lose(steps: number): Promise<void> {
    this.replica.connect();
    await this.#synchronize();
    await this.#memory.close();
    const copy = this.#copy(this.#copies - 1 - steps);
    for (const suffix of FILES) {
      rmSync(this.#path + suffix, { force: true });
      if (existsSync(copy + suffix)) cpSync(copy + suffix, this.#path + suffix);
    }
    this.replica.cut();
    this.#memory = this.#open();
  }

  async #synchronize(): Promise<void> {
    for (const begun = performance.now(); !this.#memory.stats().synchronized; ) {
      assert.ok(performance.now() - begun < 10_000, this.#memory.stats().error);
      this.#memory.synchronize();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #open(): EntityMemory {
    return new EntityMemory({ path: this.#path, remote: this.replica, timeoutMs: 1000 });
  }

  #copy(n: number): string {
    return join(this.folder, `copy-${n}.db`);
  }
}

for (const [what, isNew] of [
  ['told once', true],
  ['told again', false],
] as const) {
  it(`has all that was ${what}, and the last for true, whatever was lost, interrupted and wrong with the clock`, async (t) => {
    const now = t.mock.method(Date, 'now');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World(isNew);
        now.mock.mockImplementation(() => world.clock);
        try {
          await world.run(steps);
        } finally {
          await world.close();
        }
      }),
      { numRuns: 150, examples: EXAMPLES.map((steps) => [steps]) },
    );
  });
}
