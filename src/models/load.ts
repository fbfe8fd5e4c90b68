import { availableParallelism } from 'node:os';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import { ModelError } from './error.ts';
import { inspectModel, type ModelFacts } from './inspect.ts';
import { type ContextShape, estimateMemory, type MemoryEstimate, requireMemory } from './memory.ts';

/** Where a model computes. Anything but `off` needs the packages that docs/models.md names. */
export type GpuMode = 'off' | 'auto' | 'cuda' | 'vulkan';

export interface LoadOptions extends ContextShape {
  /** By default all processors but one. */
  threads?: number;
  gpu?: GpuMode;
  signal?: AbortSignal;
  /** Bytes that may be used; by default what the system has free. */
  availableBytes?: number;
}

/** A model in memory. */
export interface LoadedModel extends AsyncDisposable {
  readonly model: LlamaModel;
  readonly facts: ModelFacts;
  /** Tokens that a context should have: as many as were asked for, or as the model was trained for. */
  readonly contextSize: number;
  readonly memory: MemoryEstimate;
  /** Threads that evaluate, as asked for or found. */
  readonly threads: number;
}

/** Threads for a model unless said otherwise: one processor is left for everything else, because llama.cpp's workers spin. */
export function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

let shared: { gpu: GpuMode; llama: Promise<Llama>; users: number } | undefined;

/**
 * Loads a model with the binaries of the package: nothing is downloaded or compiled. What is damaged or does not fit is refused before.
 *
 * @throws ModelError, the signal's reason
 */
export async function loadModel(path: string, options: LoadOptions): Promise<LoadedModel> {
  const { threads = defaultThreads(), gpu = 'off', signal, availableBytes } = options;
  const facts = inspectModel(path);
  const contextSize = Math.min(options.contextSize, facts.contextLength ?? options.contextSize);
  const shape = { contextSize, sequences: options.sequences };
  const llama = await acquireLlama(gpu);
  try {
    const memory = await estimateMemory(path, shape, llama);
    if (gpu === 'off') requireMemory(path, memory, shape, availableBytes);
    signal?.throwIfAborted();
    const model = await llama.loadModel({ modelPath: path, gpuLayers: gpu === 'off' ? 0 : 'auto', loadSignal: signal });
    const dispose = async () => {
      await model.dispose();
      await releaseLlama();
    };
    return { model, facts, contextSize, memory, threads, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await releaseLlama();
    signal?.throwIfAborted();
    if (error instanceof ModelError) throw error;
    throw new ModelError(`${path} could not be loaded: ${(error as Error).message}`, { cause: error });
  }
}

/** llama.cpp is there once for all models. */
async function acquireLlama(gpu: GpuMode): Promise<Llama> {
  if (shared && shared.gpu !== gpu) throw new ModelError(`models are loaded for gpu: ${shared.gpu} already`);
  shared ??= { gpu, llama: startLlama(gpu), users: 0 };
  const { llama } = shared;
  shared.users++;
  try {
    return await llama;
  } catch (error) {
    shared = undefined;
    throw new ModelError(`llama.cpp cannot be used here: ${(error as Error).message || String(error)}`, {
      cause: error,
    });
  }
}

async function startLlama(gpu: GpuMode): Promise<Llama> {
  // Only here: it takes a second, and most commands do without.
  const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
  return await getLlama({
    gpu: gpu === 'off' ? false : gpu,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    // Each context has its own number of threads.
    maxThreads: 0,
  });
}

async function releaseLlama(): Promise<void> {
  if (!shared || --shared.users > 0) return;
  const { llama } = shared;
  shared = undefined;
  await (await llama).dispose();
}
