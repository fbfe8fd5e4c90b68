import type { BuildOptions, BuildResult } from 'esbuild';

/** Builds that run now. */
let running = 0;
/** Resolves when the process that is being ended has ended: a build that it still takes would never end. */
let stopped: Promise<void> = Promise.resolve();

/** Builds with esbuild, whose process ends with the last build: it would stay, with 90 MB, as long as ours. @throws its BuildFailure */
export async function build<T extends BuildOptions>(options: T): Promise<BuildResult<T>> {
  // Loaded here because a warm cache, the usual case, does without it.
  const esbuild = await import('esbuild');
  running++;
  try {
    await stopped;
    return await esbuild.build<T>(options as never);
  } finally {
    if (--running === 0) {
      stopped = esbuild.stop();
      await stopped;
    }
  }
}
