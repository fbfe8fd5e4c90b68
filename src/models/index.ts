/** GGUF models: which ones are configured, where their files are, and loading them. */
export { differences } from './compatibility.ts';
export type { Progress } from './download.ts';
export { ModelError } from './error.ts';
export { hubOptions } from './hub.ts';
export { checkModel, inspectModel, type ModelFacts, readVocabulary, type Vocabulary } from './inspect.ts';
export { defaultThreads, type GpuMode, type LoadedModel, type LoadOptions, loadModel } from './load.ts';
export { estimateMemory, type MemoryEstimate } from './memory.ts';
export { type PullOptions, pullModel } from './pull.ts';
export {
  formatReference,
  MODEL_ROLES,
  type ModelReference,
  type ModelRole,
  parseReference,
} from './reference.ts';
export { type ModelFiles, ModelStore, modelFiles, type StoredModel, shippedModels } from './store.ts';
