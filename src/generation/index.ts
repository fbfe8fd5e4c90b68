/** The model that the assistant speaks with: loaded on demand, shared by all requests. */
export { GenerationError, type GenerationErrorCode } from './error.ts';
export { type GenerationObserver, Generator, type GeneratorOptions } from './generator.ts';
export type {
  ChatTurn,
  EndedGeneration,
  GeneratedPiece,
  Generation,
  GenerationInput,
  GenerationOptions,
  ModelCard,
  OutputFormat,
} from './types.ts';
