/** A model as it travels: a statement, the parameters that it is about, and the coordinator's signature. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { FederationError } from './error.ts';

const statementSchema = z.strictObject({
  format: z.literal(1),
  version: z.int().positive(),
  spec: z.strictObject({
    id: z.string().min(1).max(1000),
    dimension: z
      .int()
      .min(1)
      .max(2 ** 24),
  }),
  /** SHA-256 of the parameters. */
  parameters: z.string(),
  /** What was spent of privacy with this model; epsilon is null for infinite. */
  privacy: z.strictObject({
    epsilon: z.number().nonnegative().nullable(),
    budget: z.number(),
    delta: z.number(),
    adjacency: z.string(),
    unit: z.string(),
    mode: z.string(),
    rounds: z.int(),
  }),
  /** The entry of the ledger that accounts for it. */
  ledger: z.strictObject({ sequence: z.int().positive(), hash: z.string() }),
  /** ISO 8601. */
  at: z.string(),
});

export type ModelStatement = z.output<typeof statementSchema>;

/** As on the wire and in files. */
export interface SignedBytes {
  statement: Buffer;
  weights: Buffer;
  signature: Buffer;
}

export interface ReleasedModel {
  statement: ModelStatement;
  parameters: Float64Array;
}

/** Keys for signing, PEM. */
export function createSigningKeys(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** @param parameters are sent as 32-bit numbers: what they lose, everybody loses */
export function signModel(
  statement: Omit<ModelStatement, 'format' | 'parameters'>,
  parameters: Float64Array,
  privateKey: string,
): SignedBytes {
  const weights = Buffer.alloc(parameters.length * 4);
  for (const [n, value] of parameters.entries()) weights.writeFloatLE(value, n * 4);
  const said: ModelStatement = { format: 1, ...statement, parameters: sha256(weights) };
  const bytes = Buffer.from(JSON.stringify(said));
  return { statement: bytes, weights, signature: sign(null, bytes, createPrivateKey(privateKey)) };
}

/** @throws FederationError when it is not what the coordinator signed */
export function openModel({ statement, weights, signature }: SignedBytes, publicKey: string): ReleasedModel {
  const refuse = (why: string): never => {
    throw new FederationError(`the model is not used: ${why}`);
  };
  if (!verify(null, statement, createPublicKey(publicKey), signature)) refuse('its signature is wrong');
  let said: ModelStatement;
  try {
    said = statementSchema.parse(JSON.parse(statement.toString('utf8')));
  } catch {
    return refuse('its statement makes no sense to this version');
  }
  if (sha256(weights) !== said.parameters) refuse('its parameters are not those that were signed');
  if (weights.length !== said.spec.dimension * 4) refuse('it has another number of parameters than it says');
  const parameters = Float64Array.from({ length: said.spec.dimension }, (_, n) => weights.readFloatLE(n * 4));
  if (!parameters.every(Number.isFinite)) refuse('a parameter is no number');
  return { statement: said, parameters };
}

const fileSchema = z.strictObject({ statement: z.base64(), weights: z.base64(), signature: z.base64() });

export function toFile(model: SignedBytes): string {
  const text = (bytes: Buffer) => bytes.toString('base64');
  return `${JSON.stringify({ statement: text(model.statement), weights: text(model.weights), signature: text(model.signature) })}\n`;
}

/** @throws FederationError */
export function fromFile(text: string): SignedBytes {
  try {
    const { statement, weights, signature } = fileSchema.parse(JSON.parse(text));
    const bytes = (base64: string) => Buffer.from(base64, 'base64');
    return { statement: bytes(statement), weights: bytes(weights), signature: bytes(signature) };
  } catch {
    throw new FederationError('this is no file of a federated model');
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
