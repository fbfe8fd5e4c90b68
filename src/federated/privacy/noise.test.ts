import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chiSquare } from '../../../test/support/chi-square.ts';
import { DiscreteGaussian } from './discrete-gaussian.ts';
import {
  addNoise,
  addTo,
  CLIP_UNITS,
  clipped,
  discretizationDistance,
  fromLattice,
  isClipped,
  noiseShareUnits,
  noiseUnits,
  toLattice,
} from './lattice.ts';
import { normalCdf } from './normal.ts';
import { SecureRandom } from './random.ts';

function counted<Key>(draws: number, draw: () => Key): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (let n = 0; n < draws; n++) {
    const key = draw();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function agrees<Key>(counts: ReadonlyMap<Key, number>, expected: ReadonlyMap<Key, number>): void {
  const { statistic, limit, degrees } = chiSquare(counts, expected);
  assert.ok(statistic < limit, `chi-square ${statistic} of ${degrees} degrees, at most ${limit}`);
}

describe('secure random numbers', () => {
  const random = new SecureRandom();

  it('are as likely, one as another', () => {
    for (const bound of [2n, 3n, 10n, 255n, 256n, 257n, 1000n]) {
      const draws = 20_000;
      const expected = new Map(Array.from({ length: Number(bound) }, (_, n) => [BigInt(n), draws / Number(bound)]));
      agrees(
        counted(draws, () => random.below(bound)),
        expected,
      );
    }
  });

  it('fill large bounds, and stay below them', () => {
    const bound = 3n ** 100n;
    const draws = Array.from({ length: 2000 }, () => random.below(bound));
    assert.ok(draws.every((value) => value >= 0n && value < bound));
    const halves = counted(2000, () => random.below(bound) * 2n >= bound);
    agrees(
      halves,
      new Map([
        [false, 1000],
        [true, 1000],
      ]),
    );
    assert.equal(random.below(1n), 0n);
  });

  it('hit with their probability', () => {
    for (const rate of [0, 1e-3, 0.3, 0.9, 1]) {
      const hits = counted(50_000, () => random.atRate(rate));
      agrees(
        hits,
        new Map(
          [
            [true, 50_000 * rate],
            [false, 50_000 * (1 - rate)],
          ].filter(([, n]) => n !== 0) as [boolean, number][],
        ),
      );
    }
  });
});

describe('discrete Gaussian noise', () => {
  for (const deviation of [1, 2, 7]) {
    it(`has the probabilities that it should, deviation ${deviation}`, () => {
      const draws = 40_000;
      const weights = new Map<bigint, number>();
      for (let x = -12 * deviation; x <= 12 * deviation; x++)
        weights.set(BigInt(x), Math.exp(-(x * x) / (2 * deviation * deviation)));
      const total = weights.values().reduce((sum, weight) => sum + weight, 0);
      const expected = new Map([...weights].map(([x, weight]) => [x, (draws * weight) / total]));
      const gaussian = new DiscreteGaussian(BigInt(deviation));
      agrees(
        counted(draws, () => gaussian.sample()),
        expected,
      );
    });
  }

  it('looks normal where its deviation is large: 40 bins of equal probability, and the last bit is a coin', () => {
    const deviation = noiseUnits(1.1);
    const gaussian = new DiscreteGaussian(deviation);
    const samples = Array.from({ length: 20_000 }, () => gaussian.sample());
    const bin = (x: bigint) => Math.min(39, Math.floor(40 * normalCdf(Number(x) / Number(deviation))));
    const expected = new Map(Array.from({ length: 40 }, (_, n) => [n, 500]));
    let next = 0;
    agrees(
      counted(20_000, () => bin(samples[next++] ?? 0n)),
      expected,
    );
    next = 0;
    agrees(
      counted(20_000, () => (samples[next++] ?? 0n) & 1n),
      new Map([
        [0n, 10_000],
        [1n, 10_000],
      ]),
    );
  });

  it('is drawn anew for every component', () => {
    const sum = new BigInt64Array(200);
    addNoise(sum, 2);
    const values = fromLattice(sum, 1, 1);
    assert.equal(new Set(sum).size, 200);
    const mean = values.reduce((a, b) => a + b, 0) / 200;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 199;
    let products = 0;
    for (let n = 1; n < 200; n++) products += ((values[n] ?? 0) - mean) * ((values[n - 1] ?? 0) - mean);
    // Once in a million by chance.
    assert.ok(Math.abs(mean) < (5 * 2) / Math.sqrt(200), `mean ${mean}`);
    assert.ok(variance > 2 && variance < 8, `variance ${variance}`);
    assert.ok(Math.abs(products / 199 / variance) < 5 / Math.sqrt(200), 'neighbours are related');
  });
});

describe('updates as whole numbers', () => {
  const component = fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.double({ noNaN: true }));

  it('never are longer than the norm, and are as they were when they are shorter', () => {
    fc.assert(
      fc.property(
        fc.array(component, { minLength: 1, maxLength: 40 }),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (update, clip) => {
          const whole = toLattice(update, clip);
          assert.ok(isClipped(whole));
          const norm = Math.hypot(...update);
          if (!Number.isFinite(norm) || norm > clip) return;
          const back = fromLattice(whole, clip, 1);
          for (const [n, value] of update.entries())
            assert.ok(Math.abs((back[n] ?? 0) - value) <= clip * 2 ** -39, `${value}`);
        },
      ),
    );
  });

  it('are zero when a component is not finite', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e200])
      assert.ok(toLattice([0.1, bad, 0.2], 1).every((value) => value === 0n));
  });

  it('are clipped again when somebody sends longer ones', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), { minLength: 1, maxLength: 20 }), (values) => {
        const update = BigInt64Array.from(values);
        const once = clipped(update);
        assert.ok(isClipped(once));
        assert.deepEqual(clipped(once), once);
        if (isClipped(update)) assert.deepEqual(once, update);
      }),
    );
    // As long as allowed stays, one unit more does not.
    const full = BigInt64Array.of(BigInt(CLIP_UNITS), 0n);
    assert.deepEqual(clipped(full), full);
    assert.equal(isClipped(BigInt64Array.of(BigInt(CLIP_UNITS), 1n)), false);
  });

  it('are summed exactly, and refuse another length', () => {
    const sum = new BigInt64Array(2);
    for (let n = 0; n < 1000; n++) addTo(sum, BigInt64Array.of(BigInt(CLIP_UNITS), -1n));
    assert.deepEqual(sum, BigInt64Array.of(1000n * BigInt(CLIP_UNITS), -1000n));
    assert.throws(() => addTo(sum, new BigInt64Array(3)), /an update has 2 components, not 3/);
  });

  it('take noise within limits', () => {
    assert.equal(noiseUnits(1), BigInt(CLIP_UNITS));
    for (const noise of [0, -1, Number.NaN, 1e9]) assert.throws(() => noiseUnits(noise), /noise: above 0/);
    assert.ok(discretizationDistance(1, 30_000, 1000) < 1e-16);
  });
});

it('the distance of discrete and rounded noise is below what is claimed', () => {
  for (const s of [2, 5, 20]) {
    const xs = Array.from({ length: 24 * s + 1 }, (_, n) => n - 12 * s);
    const weights = xs.map((x) => Math.exp(-(x * x) / (2 * s * s)));
    const total = weights.reduce((a, b) => a + b, 0);
    const distance =
      xs.reduce((sum, x, n) => {
        const rounded = normalCdf((x + 0.5) / s) - normalCdf((x - 0.5) / s);
        return sum + Math.abs((weights[n] ?? 0) / total - rounded);
      }, 0) / 2;
    assert.ok(distance < 0.0203 / (s * s), `${distance * s * s}`);
    assert.ok(distance < discretizationDistance(s / CLIP_UNITS, 1, 1));
  }
});

it('noise in parts has at least the variance that is wanted, and little more', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1000, noNaN: true }), fc.integer({ min: 1, max: 255 }), (noise, shares) => {
      const [part, whole] = [noiseShareUnits(noise, shares), noiseUnits(noise)];
      assert.ok(part * part * BigInt(shares) >= whole * whole);
      assert.ok((part - 1n) * (part - 1n) * BigInt(shares) < whole * whole);
    }),
  );
});

it('the distance of a sum of discrete noise and rounded noise is below what is claimed', () => {
  const pmf = (s: number) => {
    const reach = Math.ceil(14 * s) + 2;
    const weights = Array.from({ length: 2 * reach + 1 }, (_, n) => Math.exp(-((n - reach) ** 2) / (2 * s * s)));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  };
  const convolved = (a: readonly number[], b: readonly number[]) => {
    const sum = new Array<number>(a.length + b.length - 1).fill(0);
    for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) sum[i + j] = (sum[i + j] ?? 0) + x * y;
    return sum;
  };
  for (const s of [0.6, 0.8, 1, 2, 4]) {
    for (const shares of [2, 3, 6]) {
      const sum = Array.from({ length: shares }, () => pmf(s)).reduce(convolved);
      const deviation = s * Math.sqrt(shares);
      const middle = (sum.length - 1) / 2;
      const rounded = (x: number) => normalCdf((x + 0.5) / deviation) - normalCdf((x - 0.5) / deviation);
      const distance = sum.reduce((total, p, n) => total + Math.abs(p - rounded(n - middle)), 0) / 2;
      const claimed = discretizationDistance(deviation / CLIP_UNITS, 1, 1, shares);
      assert.ok(distance < claimed, `${s} ${shares}: ${distance}, not below ${claimed}`);
    }
  }
  assert.ok(discretizationDistance(1, 30_000, 1000, 200) < 1e-16);
});
