import { spawnSync } from 'node:child_process';

let libraries: Map<string, string> | undefined;

/**
 * The shared objects that the Node binary links to, on which skills run: path there to path here. The dynamic loader names them
 * (`LD_TRACE_LOADED_OBJECTS`, ld.so(8)), in about 5 ms; what this process has loaded, a model's library for example, is no part of it.
 */
export function sharedLibraries(): Map<string, string> {
  if (libraries) return libraries;
  const env = { ...process.env, LD_TRACE_LOADED_OBJECTS: '1' };
  const { stdout } = spawnSync(process.execPath, [], { env, encoding: 'utf8' });
  // `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x...)`; the loader itself is a path alone.
  libraries = new Map(Array.from(stdout.matchAll(/(\/\S+) \(0x/g), ([, path = '']) => [path, path]));
  return libraries;
}
