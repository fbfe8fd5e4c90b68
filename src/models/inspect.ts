import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { ModelError } from './error.ts';
import { type GgufHeader, type GgufValue, product, readGguf, tensorTypeName } from './gguf.ts';

/** What the header of a model says. */
export interface ModelFacts {
  path: string;
  name: string;
  architecture: string;
  /** Bytes of the file. */
  size: number;
  parameters: number;
  /** The type that most parameters have, for example Q8_0. */
  quantization: string;
  /** Tokens that the model was trained to look back on. */
  contextLength: number | undefined;
  layers: number | undefined;
  embeddingLength: number | undefined;
  /** Tokens that it guesses in one evaluation where it drafts; undefined: one. */
  parallelTokens: number | undefined;
  vocabulary: VocabularyFacts;
}

export interface VocabularyFacts {
  size: number;
  /** Kind of tokenizer, for example gpt2 or llama. */
  tokenizer: string;
  bos: number | undefined;
  eos: number | undefined;
  addBos: boolean | undefined;
  /** SHA-256 over texts and types of the tokens and all of the above, hexadecimal. */
  hash: string;
}

/** A vocabulary with its tokens. */
export interface Vocabulary extends VocabularyFacts {
  texts: readonly string[];
  types: readonly number[];
}

const TOKENS = 'tokenizer.ggml.tokens';
const TYPES = 'tokenizer.ggml.token_type';
const HEAD_COUNT = 'attention.head_count';

const isVocabulary = (key: string) => key === TOKENS || key === TYPES;
const isHyperparameter = (key: string) => key.endsWith(HEAD_COUNT);

/** Reads what a model is, without loading it. @throws ModelError when it is no complete GGUF model */
export function inspectModel(path: string): ModelFacts {
  const header = readModel(path, isVocabulary);
  const { metadata, tensors, size } = header;
  const architecture = String(metadata.get('general.architecture'));
  const own = (key: string) => asNumber(metadata.get(`${architecture}.${key}`));
  const counts = new Map<number, number>();
  for (const { shape, type } of tensors) counts.set(type, (counts.get(type) ?? 0) + product(shape));
  const [mostUsed] = [...counts].sort(([, a], [, b]) => b - a);
  const { texts: _, types: __, ...vocabulary } = vocabularyOf(header);
  return {
    path,
    name: String(metadata.get('general.name') ?? basename(path, '.gguf')),
    architecture,
    size,
    parameters: [...counts.values()].reduce((sum, count) => sum + count, 0),
    quantization: mostUsed === undefined ? 'none' : tensorTypeName(mostUsed[0]),
    contextLength: own('context_length'),
    layers: own('block_count'),
    embeddingLength: own('embedding_length'),
    parallelTokens: asNumber(metadata.get('phoenix.draft.parallel_tokens')),
    vocabulary,
  };
}

/** The vocabulary of a model. @throws ModelError */
export function readVocabulary(path: string): Vocabulary {
  return vocabularyOf(readModel(path, isVocabulary));
}

/** @throws ModelError when it is no model that can be used */
export function checkModel(path: string): void {
  readModel(path);
}

function readModel(path: string, wanted: (key: string) => boolean = () => false): GgufHeader {
  const header = readGguf(path, (key) => isHyperparameter(key) || wanted(key));
  if (typeof header.metadata.get('general.architecture') !== 'string' || header.tensors.length === 0)
    throw new ModelError(`${path} is a GGUF file, but no model: it has no architecture or no tensors`);
  requireHyperparameters(path, header);
  const parts = asNumber(header.metadata.get('split.count')) ?? 1;
  if (parts > 1) {
    throw new ModelError(
      `${path} is one of ${parts} parts of a model: merge them into one file first, with "llama-gguf-split --merge"`,
    );
  }
  return header;
}

/** What llama.cpp does not ask for but rely on: it ends the process where one is missing. */
function requireHyperparameters(path: string, { metadata, tensors }: GgufHeader): void {
  const architecture = String(metadata.get('general.architecture'));
  const isAttention = tensors.some(({ name }) => /\.attn_(q|qkv)\.weight$/.test(name));
  for (const name of ['block_count', 'embedding_length', ...(isAttention ? [HEAD_COUNT] : [])]) {
    // Models whose layers differ have a number for each.
    const value = metadata.get(`${architecture}.${name}`);
    if (Array.isArray(value) ? value.length > 0 : (asNumber(value) ?? 0) > 0) continue;
    throw new ModelError(`${path} cannot be used: its header has no ${architecture}.${name}; convert or pull it again`);
  }
  const width = asNumber(metadata.get(`${architecture}.embedding_length`));
  const embedding = tensors.find(({ name }) => name === 'token_embd.weight')?.shape[0];
  if (embedding !== undefined && embedding !== width)
    throw new ModelError(`${path} cannot be used: its tensors are ${embedding} wide, its header says ${width}`);
}

function vocabularyOf({ metadata }: GgufHeader): Vocabulary {
  const texts = asArray(metadata.get(TOKENS)).map(String);
  const types = asArray(metadata.get(TYPES)).map(Number);
  const addBos = metadata.get('tokenizer.ggml.add_bos_token');
  const facts = {
    size: texts.length,
    tokenizer: String(metadata.get('tokenizer.ggml.model') ?? 'none'),
    bos: asNumber(metadata.get('tokenizer.ggml.bos_token_id')),
    eos: asNumber(metadata.get('tokenizer.ggml.eos_token_id')),
    addBos: typeof addBos === 'boolean' ? addBos : undefined,
  };
  const hash = createHash('sha256')
    .update(JSON.stringify([facts, texts, types]))
    .digest('hex');
  return { ...facts, hash, texts, types };
}

function asArray(value: GgufValue | undefined): GgufValue[] {
  return Array.isArray(value) ? value : [];
}

function asNumber(value: GgufValue | undefined): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}
