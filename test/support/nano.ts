/** The nano models for tests and benchmarks of generation. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { getLlama, type Llama, LlamaLogLevel, type LlamaModel, LlamaText, SpecialTokensText } from 'node-llama-cpp';

const folder = join(import.meta.dirname, '../../models/nano');
export const NANO_TARGET = join(folder, 'nano-target-q8_0.gguf');
export const NANO_DRAFT = join(folder, 'nano-draft-q8_0.gguf');
export const isNanoThere = existsSync(NANO_TARGET) && existsSync(NANO_DRAFT);

/** llama.cpp with the binaries of the package: nothing is downloaded or compiled. One thread for each model. */
export async function testLlama(): Promise<Llama> {
  return await getLlama({
    gpu: false,
    build: 'never',
    logLevel: LlamaLogLevel.error,
    maxThreads: 2,
    progressLogs: false,
  });
}

/** A prompt in the form that the nano models are trained for. */
export function nanoPrompt(model: LlamaModel, task: 'extract' | 'query', text: string): number[] {
  return LlamaText([new SpecialTokensText(`<|${task}|>`), text, new SpecialTokensText('<|out|>')]).tokenize(
    model.tokenizer,
  );
}

const NAMES = ['Ana', 'Luis', 'Marta', 'Bruno', 'Chloe', 'Oskar', 'Ines', 'Tomek'];
const PLACES = ['Madrid', 'Lisboa', 'Berlin', 'Oslo', 'Quito', 'Kyoto'];
const THINGS = ['el café', 'el ajedrez', 'la música', 'tea', 'chess', 'old films'];

/** Sentences in Spanish and English, all different. */
export function sentence(n: number): string {
  const pick = (list: string[], step: number) => list[Math.floor(n / step) % list.length] ?? '';
  const name = pick(NAMES, 1);
  const place = pick(PLACES, 8);
  const thing = pick(THINGS, 48);
  return [
    `Mi hermana ${name} vive en ${place} y le gusta ${thing}.`,
    `My friend ${name} works in ${place} and likes ${thing}.`,
    `${name} no vive en ${place}; su hermano prefiere ${thing}.`,
    `I met ${name} in ${place} ${n} days ago, over ${thing}.`,
  ][n % 4] as string;
}
