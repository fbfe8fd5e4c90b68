import type { BuildOptions, BuildResult } from 'esbuild';

/** Builds that run now. */
let running = 0;

/** Builds with esbuild, whose process ends with the last build: it would stay, with 90 MB, as long as ours. @throws its BuildFailure */
export async function build<T extends BuildOptions>(options: T): Promise<BuildResult<T>> {
  // Loaded here because a warm cache, the usual case, does without it.
  const esbuild = await import('esbuild');
  running++;
  try {
    return await esbuild.build<T>(options as never);
  } finally {
    if (--running === 0) await esbuild.stop();
  }
}
