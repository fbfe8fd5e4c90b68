/** phoenix.yaml and PHOENIX_* variables. */
export { isLoopback, type LoadedConfig, loadConfig } from './load.ts';
export type { Config } from './schema.ts';
