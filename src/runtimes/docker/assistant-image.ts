import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleAssistant, bundleConsole, provideNative } from '../../bundle/index.ts';
import { shippedModels } from '../../models/index.ts';
import type { LocalPaths } from '../local/paths.ts';
import { type ImagePlan, imageCacheOf } from './build.ts';
import { type Engine, EngineError } from './engine.ts';
import {
  ARCHITECTURE,
  CONTENT_LABEL,
  type ContainerDefaults,
  commonLayer,
  DATA_DIR,
  inspectImage,
  LAYOUT,
  loadImage,
  NODE_PATH,
  nativeLayer,
  SECOND,
} from './image.ts';
import { containerUser, makeLayer } from './layers.ts';

/** Where the assistant finds its configuration and how to reach its skills: mounted, read-only. */
export const ASSISTANT_CONFIG_DIR = '/etc/phoenix';
/** The port that the assistant listens on inside its container. */
export const ASSISTANT_PORT = 8080;
const MAIN_PATH = '/app/assistant/main.mjs';
/** Where the bundled code looks for the models that come with Phoenix: as far from it as from the source. */
const MODELS_DIR = '/models/nano';
/** ... and for the console. */
const CONSOLE_DIR = '/console/built';
const PACKAGE_PATH = '/app/package.json';
const PACKAGE_FILE = fileURLToPath(new URL('../../../package.json', import.meta.url));

/** Node itself asks, because there is nothing else in the image. */
const HEALTH_CHECK = `require('node:http').get('http://127.0.0.1:${ASSISTANT_PORT}/health',({statusCode})=>process.exit(statusCode===200?0:1)).on('error',({message})=>{console.error(message);process.exit(1)})`;

export function assistantImageName(version: string): string {
  return `phoenix:${version}`;
}

/**
 * Plans the image of the assistant: Node, the libraries that it links to, what runs language models, the models that come with
 * Phoenix, the web console, one bundled file. Nothing is pulled.
 *
 * @throws EngineError, BundleError
 */
export async function planAssistantImage(engine: Engine, version: string, paths: LocalPaths): Promise<ImagePlan> {
  const { path, hash } = await bundleAssistant(paths.bundles);
  const native = await provideNative('node-llama-cpp', paths.bundles);
  const pages = [...(await bundleConsole())];
  const models = (['target', 'draft'] as const).map(shippedModels);
  const { uid, gid } = containerUser();
  const content = createHash('sha256')
    .update(
      JSON.stringify([
        LAYOUT,
        process.version,
        process.arch,
        uid,
        gid,
        version,
        hash,
        native.hash,
        ...models.map(digestOf),
        ...pages.map(([name, content]) => [name, digest(content)]),
      ]),
    )
    .digest('hex')
    .slice(0, 32);
  const name = assistantImageName(version);
  const isBuilt = async () => {
    const found = await inspectImage(engine, name);
    return found?.Architecture === ARCHITECTURE && found.Config?.Labels?.[CONTENT_LABEL] === content;
  };
  const build = async () => {
    const cacheDir = imageCacheOf(paths);
    const consoleDir = join(cacheDir, 'console');
    mkdirSync(consoleDir, { recursive: true });
    for (const [file, content] of pages) writeFileSync(join(consoleDir, file), content);
    const code = await makeLayer(join(cacheDir, `assistant-${content}.tar`), [
      { path: ASSISTANT_CONFIG_DIR.slice(1), owned: false, mode: 0o755 },
      { path: '/app/assistant'.slice(1), owned: false, mode: 0o755 },
      { path: PACKAGE_PATH.slice(1), from: PACKAGE_FILE },
      { path: MAIN_PATH.slice(1), from: path },
      { path: MODELS_DIR.slice(1), owned: false, mode: 0o755 },
      { path: CONSOLE_DIR.slice(1), owned: false, mode: 0o755 },
      ...pages.map(([file]) => ({ path: `${CONSOLE_DIR.slice(1)}/${file}`, from: join(consoleDir, file) })),
      ...models.map((from) => ({ path: `${MODELS_DIR.slice(1)}/${basename(from)}`, from })),
    ]);
    const said = await loadImage(engine, name, containerDefaults(version, content), [
      await commonLayer(cacheDir, true),
      await nativeLayer(native, cacheDir),
      code,
    ]);
    if (!(await isBuilt())) throw new EngineError(0, `the image ${name} was not built: ${said.trim()}`);
  };
  return { name, isCurrent: await isBuilt(), build };
}

const digest = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const digestOf = (path: string) => digest(readFileSync(path));

function containerDefaults(version: string, content: string): ContainerDefaults {
  const { uid, gid } = containerUser();
  return {
    User: `${uid}:${gid}`,
    WorkingDir: DATA_DIR,
    Env: ['HOME=/tmp', 'TMPDIR=/tmp', `PHOENIX_CONFIG=${ASSISTANT_CONFIG_DIR}/phoenix.yaml`],
    Entrypoint: [NODE_PATH, MAIN_PATH],
    Cmd: ['start'],
    Labels: {
      [CONTENT_LABEL]: content,
      'org.opencontainers.image.title': 'phoenix',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.description': 'The assistant of Phoenix: HTTP server, memory and the pool of skills.',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
    Healthcheck: {
      Test: ['CMD', NODE_PATH, '--max-old-space-size=16', '-e', HEALTH_CHECK],
      Interval: 5 * SECOND,
      Timeout: 3 * SECOND,
      StartPeriod: 30 * SECOND,
      Retries: 3,
    },
  };
}
