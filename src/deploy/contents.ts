import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { bundleHandler, bundleHost, provideNative } from '../bundle/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { Manifest } from '../manifest/index.ts';
import { type ModelFiles, ModelStore, modelFiles } from '../models/index.ts';
import {
  ASSISTANT_CONFIG_DIR,
  ASSISTANT_PORT,
  containerUser,
  DATA_DIR,
  fingerprint,
  HANDLER_PATH,
  type LocalPaths,
  launchConfig,
  modelsInside,
  type SkillRecord,
  SOCKET_PATH,
} from '../runtimes/index.ts';
import { VERSION } from '../version.ts';
import {
  ASSISTANT_SERVICE,
  assistantSocketPath,
  composeFile,
  MONITORING_SERVICES,
  modelVariable,
  skillService,
  specVariable,
} from './compose-file.ts';
import type { DeployFolder, Files } from './folder.ts';

export const COMPOSE_FILE = 'docker-compose.sentience.yml';
const TOKEN_FILE = 'secrets/token';
const RECORD_FILE = 'sarai/skills.json';
const PASSWORD_FILE = 'secrets/grafana-password';
/** A change of how compose isolates skills makes running ones outdated. */
const POLICY = { name: 'external', policyVersion: 1 } as const;
const HOME = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Everything that a deployment consists of, beside images. */
export interface Contents {
  files: Files;
  /** Values of the variables of the compose file. */
  variables: Record<string, string>;
}

/**
 * What the folder of the deployment should hold. Secrets and identities that are there already are kept while nothing that they
 * belong to changes, so that the same input gives the same files.
 *
 * @param given a compose file to use instead of the generated one
 * @throws BundleError when the code of a skill does not build, ModelError when a model that it reads is not here
 */
export async function deploymentContents(
  config: LoadedConfig,
  skills: readonly Manifest[],
  paths: LocalPaths,
  folder: DeployFolder,
  given: { path: string; text: string } | undefined,
): Promise<Contents> {
  const token = config.server.token ?? folder.read(TOKEN_FILE) ?? secret();
  const files = new Map<string, string>([
    [TOKEN_FILE, token],
    [PASSWORD_FILE, folder.read(PASSWORD_FILE) ?? secret()],
    ['sarai/phoenix.yaml', assistantConfig(config, token)],
  ]);
  for (const { name, folder: source, entryPath } of skills) {
    const manifestFolder = join('sarai/skills', name);
    files.set(join(manifestFolder, 'skill.yaml'), readFileSync(join(source, 'skill.yaml'), 'utf8'));
    // What the manifest names has to be there.
    files.set(join(manifestFolder, relative(source, entryPath)), '// The handler is in the image of the skill.\n');
  }
  const { uid, gid } = containerUser();
  const variables: Record<string, string> = {
    SARAI_DEPLOY_DIR: folder.path,
    SARAI_HOME: HOME,
    SARAI_PROJECT_DIR: given ? dirname(given.path) : folder.path,
    SARAI_PORT: String(config.server.port),
    SARAI_UID: String(uid),
    SARAI_GID: String(gid),
    // Without the record: the assistant reads that again whenever it connects to a skill.
    [specVariable(ASSISTANT_SERVICE)]: hashOf([...files].filter(([name]) => name.startsWith('sarai/'))),
  };
  for (const service of MONITORING_SERVICES)
    variables[specVariable(service)] = hashOf(contentsOf(join(HOME, 'deploy', service)));
  const modelFile = modelFiles(config.models, ModelStore.of(config.state_dir));
  for (const role of new Set(skills.flatMap(({ models }) => models))) variables[modelVariable(role)] = modelFile(role);
  const record: SkillRecord = { format: 1, manager: 'docker compose', skills: {} };
  for (const manifest of skills) {
    const { name } = manifest;
    const path = `skills/${name}/launch.json`;
    const launch = await launchOf(manifest, config, paths, modelFile, folder.read(path));
    files.set(path, launch);
    variables[specVariable(skillService(name))] = hashOf(launch);
    const { fingerprint: print, instanceId, ownerToken } = JSON.parse(launch) as ReturnType<typeof launchConfig>;
    record.skills[name] = {
      fingerprint: print,
      instanceId,
      ownerToken,
      socket: assistantSocketPath(name),
      container: `saraiskill.${name}`,
    };
  }
  files.set(RECORD_FILE, `${JSON.stringify(record, undefined, 2)}\n`);
  const compose = given?.text ?? composeFile(VERSION, skills);
  files.set(COMPOSE_FILE, compose);
  Object.assign(variables, chosenByUser(compose, variables));
  files.set('env', toEnvFile(variables));
  return { files, variables };
}

/** The configuration of the assistant in its container: the user's, but for what is different there. */
function assistantConfig({ source }: LoadedConfig, token: string): string {
  // Where skills run, and how much they may use, is up to compose.
  const { skill_runtime: _, docker: __, pool: ___, server, ...kept } = (parse(source) ?? {}) as Record<string, object>;
  return stringify({
    ...kept,
    state_dir: DATA_DIR,
    skill_dirs: [`${ASSISTANT_CONFIG_DIR}/skills`],
    skill_record: `${ASSISTANT_CONFIG_DIR}/skills.json`,
    // All addresses of the container; only one of this machine leads there.
    server: { ...server, host: '0.0.0.0', port: ASSISTANT_PORT, token },
  });
}

/** The launch configuration of a skill: the one that is there, if it is for the same code and settings. */
async function launchOf(
  manifest: Manifest,
  config: LoadedConfig,
  paths: LocalPaths,
  modelFile: ModelFiles,
  current: string | undefined,
): Promise<string> {
  const [host, handler, ...native] = await Promise.all([
    bundleHost(paths.bundles),
    bundleHandler(manifest.entryPath, paths.bundles),
    ...manifest.native.map((name) => provideNative(name, paths.bundles)),
  ]);
  const models = Object.fromEntries(manifest.models.map((role) => [role, modelFile(role)]));
  const merged = { ...manifest.config, ...config.skills[manifest.name]?.config };
  // A container of the deployment sees nothing of the machine.
  const extras = { native, models, mounts: {}, toolchain: false };
  const print = fingerprint(POLICY, manifest, merged, { host, handler, ...extras });
  if (current !== undefined && fingerprintOf(current) === print) return current;
  const spec = {
    manifest,
    hostPath: host.path,
    compileCache: undefined,
    handlerPath: handler.path,
    ...extras,
    config: merged,
    fingerprint: print,
    // Compose keeps it running, with or without an assistant.
    leaseMs: 0,
  };
  const inside = {
    socket: SOCKET_PATH,
    handler: HANDLER_PATH,
    dataDir: manifest.volumes.includes('data') ? DATA_DIR : undefined,
    models: modelsInside({ models }),
    tmpDir: '/tmp',
  };
  return `${JSON.stringify(launchConfig(spec, 'container', inside), undefined, 2)}\n`;
}

function fingerprintOf(launch: string): string | undefined {
  try {
    return (JSON.parse(launch) as { fingerprint?: string }).fingerprint;
  } catch {
    return undefined;
  }
}

/** The variables of the compose file that the environment sets, so that they hold for every later command, too. */
function chosenByUser(compose: string, ours: Record<string, string>): Record<string, string> {
  const names = new Set([...compose.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name));
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = process.env[name];
      return value === undefined || name in ours ? [] : [[name, value]];
    }),
  );
}

function toEnvFile(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** How the assistant of what was written last is asked, and for which skills. */
export function deployedAccess(folder: DeployFolder): { token: string; skills: string[] } {
  const { skills } = JSON.parse(folder.read(RECORD_FILE) ?? '{"skills":{}}') as Pick<SkillRecord, 'skills'>;
  return { token: folder.read(TOKEN_FILE) ?? '', skills: Object.keys(skills) };
}

/** The variables of an earlier deployment. */
export function parseEnvFile(text: string): Record<string, string> {
  const lines = text.split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** Every file of a folder, by its path in there. */
function contentsOf(folder: string): [path: string, text: string][] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((path) => [relative(folder, path), readFileSync(path, 'utf8')]);
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}
