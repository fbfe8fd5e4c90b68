/**
 * The file of a router: `PHXROUTE`, version (uint32), length of the header (uint32), header (JSON), weights (float32), SHA-256 of all
 * before it. Numbers are little-endian. docs/router.md describes it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { binaryFormat, type DurableFormat } from '../state-format/index.ts';
import type { Calibration, RouterWeights } from './types.ts';
import { checkedWeights, MAX_SKILLS, RouterWeightsError } from './weights.ts';

const MAGIC = Buffer.from('PHXROUTE', 'latin1');
const VERSION = 1;
const PREFIX = MAGIC.length + 8;
const DIGEST = 32;
const MAX_HEADER = 1024 ** 2;
const MAX_DIMENSION = 65_536;

const calibration = z.strictObject({ slope: z.number(), offset: z.number() });
const header = z.object({
  features: z.string().min(1).max(200),
  dimension: z.int().min(1).max(MAX_DIMENSION),
  skills: z.array(z.string().min(1).max(200)).max(MAX_SKILLS),
  calibration: z.array(calibration),
  /** Names what it was trained from. */
  fingerprint: z.string().max(200),
});

/** Weights with what makes their scores probabilities. */
export interface RouterModel {
  readonly weights: RouterWeights;
  /** One for each skill of the weights. */
  readonly calibration: readonly Calibration[];
  /** Names what it was trained from: the same means that training again changes nothing. */
  readonly fingerprint: string;
}

/** The file among those of a state folder. */
export const modelFormat = (file: string): DurableFormat => binaryFormat(file, MAGIC.toString('latin1'), VERSION);

export function encodeModel({ weights, calibration, fingerprint }: RouterModel): Buffer {
  const { features, dimension, skills, values } = checkedWeights(weights);
  const json = Buffer.from(JSON.stringify({ features, dimension, skills, calibration, fingerprint }));
  const prefix = Buffer.alloc(PREFIX);
  MAGIC.copy(prefix);
  prefix.writeUInt32LE(VERSION, MAGIC.length);
  prefix.writeUInt32LE(json.length, MAGIC.length + 4);
  const numbers = Buffer.alloc(values.length * 4);
  for (const [n, value] of values.entries()) numbers.writeFloatLE(value, n * 4);
  const content = Buffer.concat([prefix, json, numbers]);
  return Buffer.concat([content, createHash('sha256').update(content).digest()]);
}

/** @throws RouterWeightsError that says what is wrong; never half a model */
export function decodeModel(bytes: Uint8Array): RouterModel {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string): never => {
    throw new RouterWeightsError(`router model: ${what}`);
  };
  if (buffer.length < PREFIX + DIGEST || !buffer.subarray(0, MAGIC.length).equals(MAGIC))
    fail('this is no file of one');
  const version = buffer.readUInt32LE(MAGIC.length);
  if (version !== VERSION) fail(`it has version ${version}; this Phoenix reads version ${VERSION}`);
  const length = buffer.readUInt32LE(MAGIC.length + 4);
  if (length > MAX_HEADER || PREFIX + length + DIGEST > buffer.length) fail('its header is cut off or too long');
  const content = buffer.subarray(0, -DIGEST);
  if (!createHash('sha256').update(content).digest().equals(buffer.subarray(-DIGEST)))
    fail('it is damaged: its checksum is wrong');
  const { features, dimension, skills, calibration, fingerprint } = readHeader(
    content.subarray(PREFIX, PREFIX + length),
  );
  if (calibration.length !== skills.length)
    fail(`${calibration.length} calibrations are not one for each of ${skills.length} skills`);
  const numbers = content.subarray(PREFIX + length);
  if (numbers.length !== dimension * skills.length * 4)
    fail(`${numbers.length} bytes are not ${dimension} numbers for each of ${skills.length} skills`);
  const values = Float32Array.from({ length: numbers.length / 4 }, (_, n) => numbers.readFloatLE(n * 4));
  return { weights: checkedWeights({ features, dimension, skills, values }), calibration, fingerprint };
}

function readHeader(json: Buffer): z.output<typeof header> {
  let said: unknown;
  try {
    said = JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw new RouterWeightsError(`router model: its header is no JSON: ${(error as Error).message}`);
  }
  const read = header.safeParse(said);
  if (read.success) return read.data;
  const [{ path, message } = { path: [], message: '' }] = read.error.issues;
  throw new RouterWeightsError(`router model: its header makes no sense: ${path.join('.')}: ${message}`);
}
