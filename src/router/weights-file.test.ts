import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RouterWeightsError } from './weights.ts';
import { decodeModel, encodeModel, type RouterModel } from './weights-file.ts';

const model: RouterModel = {
  weights: {
    features: 'ngrams-1/4',
    dimension: 4,
    skills: ['a', 'b'],
    values: Float32Array.from([1, -2, 3.5, 0, 5, 6, 7, 8]),
  },
  calibration: [
    { slope: 1.25, offset: -0.5 },
    { slope: 1, offset: 0 },
  ],
  fingerprint: 'abc',
};
const bytes = encodeModel(model);
/** A file whose header says something else, with a checksum that fits. */
const withHeader = (change: object, numbers = 8): Buffer => {
  const header = { features: 'f/4', dimension: 4, skills: ['a', 'b'], calibration: model.calibration, fingerprint: '' };
  const json = Buffer.from(JSON.stringify({ ...header, ...change }));
  const prefix = Buffer.from(bytes.subarray(0, 16));
  prefix.writeUInt32LE(json.length, 12);
  const content = Buffer.concat([prefix, json, Buffer.alloc(numbers * 4)]);
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
};

describe('the file of a router', () => {
  it('gives back what was written, to the bit', () => {
    assert.deepEqual(decodeModel(bytes), model);
    assert.deepEqual(encodeModel(decodeModel(bytes)), bytes);
    // In the middle of another buffer, at an odd place.
    const shifted = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    assert.deepEqual(decodeModel(shifted), model);
  });

  it('is refused when one bit of it is another, or when it is cut off', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        assert.throws(() => decodeModel(damaged), RouterWeightsError);
      }),
    );
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => decodeModel(bytes.subarray(0, length)), RouterWeightsError, `${length} bytes`);
    assert.throws(() => decodeModel(Buffer.concat([bytes, Buffer.alloc(1)])), RouterWeightsError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        assert.throws(() => decodeModel(any), RouterWeightsError);
      }),
    );
  });

  it('is refused when it is whole and makes no sense', () => {
    const cases: [Buffer, RegExp][] = [
      [withHeader({ dimension: 5 }), /32 bytes are not 5 numbers for each of 2 skills/],
      [withHeader({ dimension: 1e9 }), /dimension/],
      [withHeader({ skills: ['a', 'a'] }), /twice/],
      [withHeader({ skills: ['a'] }), /2 calibrations are not one for each of 1/],
      [
        withHeader({
          calibration: [
            { slope: 'x', offset: 0 },
            { slope: 1, offset: 0 },
          ],
        }),
        /header makes no sense/,
      ],
      [withHeader({}, 7), /28 bytes/],
    ];
    for (const [file, message] of cases)
      assert.throws(() => decodeModel(file), { name: 'RouterWeightsError', message });
    const later = Buffer.from(bytes);
    later.writeUInt32LE(2, 8);
    assert.throws(() => decodeModel(later), /it has version 2; this Phoenix reads version 1/);
    const nan = {
      ...model,
      weights: { ...model.weights, values: Float32Array.from([Number.NaN, 0, 0, 0, 0, 0, 0, 0]) },
    };
    assert.throws(() => encodeModel(nan), /number 0 is NaN/);
  });
});
