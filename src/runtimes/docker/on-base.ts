import { createReadStream } from 'node:fs';
import { type Engine, EngineError } from './engine.ts';
import type { ContainerDefaults } from './image.ts';
import type { Layer } from './layers.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

/**
 * Puts layers on an image that the engine has, with the engine's own builder.
 *
 * @returns what the builder said
 * @throws EngineError
 */
export async function buildOnBase(
  engine: Engine,
  name: string,
  base: string,
  config: ContainerDefaults,
  layers: readonly Layer[],
): Promise<string> {
  const { Interval, Timeout, StartPeriod, Retries, Test } = config.Healthcheck;
  const seconds = (nanoseconds: number) => `${nanoseconds / 1e9}s`;
  const dockerfile = [
    `FROM ${base}`,
    // An archive is unpacked with the owners and modes that it has.
    ...layers.map((_, index) => `ADD ["layer-${index}.tar", "/"]`),
    `USER ${config.User}`,
    `WORKDIR ${config.WorkingDir}`,
    ...config.Env.map((variable) => `ENV ${variable}`),
    `ENTRYPOINT ${JSON.stringify(config.Entrypoint)}`,
    'CMD []',
    `HEALTHCHECK --interval=${seconds(Interval)} --timeout=${seconds(Timeout)} --start-period=${seconds(StartPeriod)} --retries=${Retries} CMD ${JSON.stringify(Test.slice(1))}`,
  ].join('\n');
  const query = new URLSearchParams({
    t: name,
    labels: JSON.stringify(config.Labels),
    networkmode: 'none',
    forcerm: '1',
  });
  const answer = await engine.work(`/build?${query}`, buildContext(dockerfile, layers));
  for (const line of answer.split('\n').filter(Boolean)) {
    const { error } = JSON.parse(line) as { error?: string };
    if (error) throw new EngineError(0, `the image ${name} does not build on ${base}: ${error}`);
  }
  return answer;
}

async function* buildContext(dockerfile: string, layers: readonly Layer[]): AsyncGenerator<Buffer> {
  const file = (path: string, size: number) => tarHeader({ path, mode: 0o644, uid: 0, gid: 0, size, isFolder: false });
  const bytes = Buffer.from(dockerfile);
  yield Buffer.concat([file('Dockerfile', bytes.length), bytes, tarPadding(bytes.length)]);
  for (const [index, { path, size }] of layers.entries()) {
    yield file(`layer-${index}.tar`, size);
    yield* createReadStream(path) as AsyncIterable<Buffer>;
    yield tarPadding(size);
  }
  yield TAR_END;
}
