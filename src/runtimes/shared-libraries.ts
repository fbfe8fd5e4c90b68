import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';

let libraries: Map<string, string> | undefined;

/** The shared objects of the running Node binary, which is the one that skills run on. */
export function sharedLibraries(): Map<string, string> {
  if (libraries) return libraries;
  // Without this the report looks up host names, which can take seconds.
  if (process.report) Object.assign(process.report, { excludeNetwork: true });
  const report = process.report?.getReport() as { sharedObjects?: string[] } | undefined;
  libraries = new Map();
  for (const path of report?.sharedObjects ?? []) {
    if (!path.startsWith('/') || !existsSync(path) || path.endsWith('.node')) continue;
    libraries.set(path, path);
    // The loader's own path is fixed in the binary.
    if (basename(path).startsWith('ld-linux') && dirname(path) !== '/lib64' && existsSync(`/lib64/${basename(path)}`)) {
      libraries.set(`/lib64/${basename(path)}`, `/lib64/${basename(path)}`);
    }
  }
  return libraries;
}
