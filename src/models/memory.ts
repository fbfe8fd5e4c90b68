import type { GgufInsights, Llama } from 'node-llama-cpp';
import { ModelError } from './error.ts';

/** What a model needs when it is loaded, in bytes. */
export interface MemoryEstimate {
  weights: number;
  /** What it remembers of the text, and what it computes with. */
  context: number;
  total: number;
}

export interface ContextShape {
  /** Tokens in each sequence. */
  contextSize: number;
  /** Texts that are worked on at once. */
  sequences?: number;
}

/** Tokens that are evaluated together. */
const BATCH = 256;

/**
 * Estimates what a model needs on processors. The model is not loaded.
 *
 * @param llama one that is there already
 * @throws Error when node-llama-cpp cannot read it
 */
export async function estimateMemory(path: string, shape: ContextShape, llama?: Llama): Promise<MemoryEstimate> {
  const { GgufInsights, readGgufFileInfo } = await import('node-llama-cpp');
  return await estimateFrom(
    await GgufInsights.from(await readGgufFileInfo(path, { logWarnings: false }), llama),
    shape,
  );
}

async function estimateFrom(
  insights: GgufInsights,
  { contextSize, sequences = 1 }: ContextShape,
): Promise<MemoryEstimate> {
  const [model, context] = await Promise.all([
    insights.estimateModelResourceRequirementsV2({ gpuLayers: 0 }),
    insights.estimateContextResourceRequirementsV2({
      contextSize,
      sequences,
      batchSize: Math.min(BATCH, contextSize),
      modelGpuLayers: 0,
      flashAttention: true,
      swaFullCache: true,
    }),
  ]);
  const [weights, rest] = [model.cpuRam, context.cpuRam].map(Math.ceil);
  return { weights: weights ?? 0, context: rest ?? 0, total: (weights ?? 0) + (rest ?? 0) };
}

/**
 * Refuses what would not fit, with figures: beyond that the kernel ends processes, or the machine swaps.
 *
 * @param available bytes, by default what this process may still use
 * @throws ModelError
 */
export function requireMemory(
  path: string,
  { weights, context, total }: MemoryEstimate,
  { contextSize, sequences = 1 }: ContextShape,
  available = process.availableMemory(),
): void {
  if (total <= available) return;
  const mib = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  throw new ModelError(
    `${path} does not fit: it needs about ${mib(total)} (${mib(weights)} for the weights, ${mib(context)} for ${sequences} x ${contextSize} tokens of context) and ${mib(available)} are free: take a smaller model or quantization, or a smaller context`,
  );
}
