/** ln(e^a + e^b). */
export function logAdd(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return low === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}

/** Where a function that falls and then rises is smallest between two points (golden-section search). */
export function argMin(f: (x: number) => number, low: number, high: number, steps = 60): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [fc, fd] = [f(c), f(d)];
  for (let n = 0; n < steps; n++) {
    if (fc < fd) {
      [b, d, fd] = [d, c, fc];
      c = b - ratio * (b - a);
      fc = f(c);
    } else {
      [a, c, fc] = [c, d, fd];
      d = a + ratio * (b - a);
      fd = f(d);
    }
  }
  return (a + b) / 2;
}

/**
 * The end of [low, high] from which on a falling function is at most 0: f(result) <= 0, and there is a point at most `tolerance` below
 * where it is not. Illinois method (Dowell, Jarratt 1971), with bisection where that is slow.
 *
 * @param low f(low) > 0
 * @param high f(high) <= 0
 */
export function firstAtMostZero(f: (x: number) => number, low: number, high: number, tolerance: number): number {
  let [a, b] = [low, high];
  let [fa, fb] = [f(a), f(b)];
  let last = 0;
  for (let n = 0; n < 200 && b - a > tolerance; n++) {
    const secant = b - (fb * (b - a)) / (fb - fa);
    const x = n % 4 === 3 || !Number.isFinite(secant) ? (a + b) / 2 : between(secant, a, b, tolerance);
    if (x <= a || x >= b) break;
    const fx = f(x);
    const side = fx > 0 ? 1 : -1;
    if (side > 0) [a, fa] = [x, fx];
    else [b, fb] = [x, fx];
    if (side === last) {
      if (side > 0) fb /= 2;
      else fa /= 2;
    }
    last = side;
  }
  return b;
}

/** Kept off the ends, by up to half a tolerance: a step that lands on an end does not narrow anything. */
function between(x: number, a: number, b: number, tolerance: number): number {
  const margin = Math.min(tolerance / 2, (b - a) / 4);
  return Math.min(Math.max(x, a + margin), b - margin);
}
