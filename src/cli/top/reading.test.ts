import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Gauge, Registry } from 'prom-client';
import { CliError } from '../errors.ts';
import { parseExposition } from './exposition.ts';
import { toReading } from './reading.ts';

describe('parseExposition', () => {
  it('reads what prom-client writes, whatever the labels hold, as text and as OpenMetrics', async () => {
    const values = fc.oneof(fc.double({ noNaN: true }), fc.integer());
    const series = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string(), values), {
      selector: ([one, other]) => JSON.stringify([one, other]),
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(series, fc.boolean(), async (wanted, isOpenMetrics) => {
        const registry = new Registry();
        if (isOpenMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
        const gauge = new Gauge({ name: 'one', help: 'One.', labelNames: ['a', 'b'], registers: [registry] });
        for (const [a, b, value] of wanted) gauge.set({ a, b }, value);
        const read = parseExposition(await registry.metrics()).get('one') ?? [];
        assert.deepEqual(
          read.map(({ labels: { a, b }, value }) => [a, b, value + 0]),
          wanted.map(([a, b, value]) => [a, b, value + 0]),
        );
      }),
    );
  });

  it('passes over comments, times and exemplars', () => {
    const text = [
      '# TYPE h histogram',
      'h_bucket{le="+Inf",name="}"} 3 # {trace_id="0af7"} 0.5 1700000000.1',
      'plain 1.5 1700000000',
      'below -Inf',
      '# EOF',
      'no series {',
    ].join('\n');
    assert.deepEqual(
      [...parseExposition(text)],
      [
        ['h_bucket', [{ labels: { le: '+Inf', name: '}' }, value: 3 }]],
        ['plain', [{ labels: {}, value: 1.5 }]],
        ['below', [{ labels: {}, value: Number.NEGATIVE_INFINITY }]],
      ],
    );
  });
});

describe('toReading', () => {
  it('refuses what is not of an assistant', () => {
    for (const text of ['', '<html></html>', 'process_start_time_seconds 1\n'])
      assert.throws(() => toReading(text, 0), CliError);
  });
});
