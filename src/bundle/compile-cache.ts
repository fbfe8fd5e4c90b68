import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Who runs a skill in the sandbox. Node keeps a cache for each user. */
const NOBODY = 65_534;

/**
 * Lets Node compile a bundle now, so that it need not at every launch: https://nodejs.org/docs/latest-v24.x/api/module.html#module-compile-cache.
 *
 * @param path absolute path of a bundle that ends at once when it is called without arguments
 * @returns a folder for NODE_COMPILE_CACHE of user nobody, to be read only, beside the bundle, wherever both are mounted; undefined when Node made none
 */
export async function makeCompileCache(path: string): Promise<string | undefined> {
  const folder = join(dirname(path), 'cache');
  if (existsSync(folder)) return folder;
  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    await new Promise<void>((resolve) => {
      const env = { NODE_COMPILE_CACHE: temporary, NODE_COMPILE_CACHE_PORTABLE: '1' };
      // It ends with an error, because it was told nothing; by then it is compiled.
      execFile(process.execPath, [path], { env, timeout: 10_000 }, () => resolve());
    });
    const [own] = readdirSync(temporary);
    if (own === undefined) return undefined;
    // Its name ends with the number of the user.
    renameSync(join(temporary, own), join(temporary, own.replace(/\d+$/, String(NOBODY))));
    for (const entry of readdirSync(temporary, { withFileTypes: true, recursive: true })) {
      chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
    }
    renameSync(temporary, folder);
    return folder;
  } catch {
    // Somebody else was quicker, or this Node keeps no cache.
    return existsSync(folder) ? folder : undefined;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
