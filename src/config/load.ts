import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseReference } from '../models/index.ts';
import { parseYaml, YamlFileError } from '../yaml/read-yaml.ts';
import { type Config, configSchema } from './schema.ts';

const FILE = 'phoenix.yaml';
const PREFIX = 'PHOENIX_';

/** Variables that are no settings. */
const RESERVED = new Set(['PHOENIX_CONFIG', 'PHOENIX_TEST_REQUIRE']);

/** Sections whose keys are reached by PHOENIX_<SECTION>_<KEY>, a dot being an underscore there. */
const SECTIONS = ['docker', 'server', 'pool', 'memory', 'models', 'language', 'router', 'telemetry.otlp'] as const;

/** Settings whose variables are taken as they are. The others are YAML, as in the file: numbers, lists, words. */
const TEXTS = new Set([
  'state_dir',
  'skill_record',
  'server.host',
  'server.token',
  'models.target',
  'models.draft',
  'telemetry.otlp.endpoint',
]);

export interface LoadedConfig extends Config {
  /** Absolute path of the file that was read; undefined when there is none and the defaults hold. */
  file: string | undefined;
  /** The settings as YAML: the file, and the variables that override it. */
  source: string;
}

/**
 * Reads phoenix.yaml and lets PHOENIX_* variables override it: PHOENIX_LOG_LEVEL, PHOENIX_SERVER_PORT, ...
 *
 * @param path a file that must exist; without it, PHOENIX_CONFIG, then phoenix.yaml of the current folder if there is one
 * @throws YamlFileError that names file or variable, line, and what is allowed
 */
export function loadConfig(path: string | undefined, environment: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const named = path ?? environment.PHOENIX_CONFIG;
  const file = resolve(named ?? FILE);
  const exists = existsSync(file);
  if (named !== undefined && !exists) throw new YamlFileError([`${file}: there is no such file`]);
  const source = exists ? readText(file) : '';
  // The file alone first, so that errors carry its own lines.
  parseYaml(source, file, configSchema);
  const [config, effective] = overridden(source, environment);
  const base = dirname(file);
  requireTokenBeyondLoopback(config, file);
  refuseMountedState(config, base, file);
  return {
    ...config,
    state_dir: resolve(base, config.state_dir),
    skill_dirs: config.skill_dirs.map((folder) => resolve(base, folder)),
    skills: Object.fromEntries(
      Object.entries(config.skills).map(([name, { mounts, ...settings }]) => [
        name,
        { ...settings, ...(mounts && { mounts: absolute(base, mounts) }) },
      ]),
    ),
    models: {
      ...config.models,
      target: fileFrom(base, config.models.target),
      draft: fileFrom(base, config.models.draft),
    },
    ...(config.skill_record === undefined ? {} : { skill_record: resolve(base, config.skill_record) }),
    file: exists ? file : undefined,
    source: effective,
  };
}

function absolute(base: string, paths: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, resolve(base, path)]));
}

/** A model that is named by a path is looked for from the folder of the configuration. */
function fileFrom(base: string, model: string): string {
  return parseReference(model).kind === 'path' ? resolve(base, model) : model;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new YamlFileError([`${file}: ${(error as Error).message}`]);
  }
}

function overridden(source: string, environment: NodeJS.ProcessEnv): [Config, string] {
  const variables = Object.entries(environment).filter(([name]) => name.startsWith(PREFIX) && !RESERVED.has(name));
  let document: Document = parseDocument(source);
  for (const [name, value] of variables) {
    if (value === undefined) continue;
    try {
      document = withValue(document, name, value);
      parseYaml(String(document), name, configSchema);
    } catch (error) {
      if (!(error instanceof YamlFileError)) throw error;
      // Line numbers of a text that nobody wrote would mislead.
      throw new YamlFileError(error.problems.map((problem) => problem.replace(/:\d+:/, ':')));
    }
  }
  return [parseYaml(String(document), 'environment', configSchema), String(document)];
}

function pathOf(name: string): string[] {
  const key = name.slice(PREFIX.length).toLowerCase();
  const section = SECTIONS.find((each) => key.startsWith(`${each.replace('.', '_')}_`));
  return section ? [...section.split('.'), key.slice(section.length + 1)] : [key];
}

function withValue(document: Document, name: string, text: string): Document {
  const path = pathOf(name);
  const copy = parseDocument(String(document));
  if (!isMap(copy.contents)) copy.contents = copy.createNode({}) as never;
  const isText = TEXTS.has(path.join('.'));
  if (!isText) parseYaml(text, name, z.unknown());
  copy.setIn(path, copy.createNode(isText ? text : parseDocument(text).toJS()));
  return copy;
}

/** In the state folder are sockets and tokens of skills; a read-only folder keeps nobody from using them. */
function refuseMountedState({ state_dir, skills }: Config, base: string, file: string): void {
  const state = resolve(base, state_dir);
  for (const [name, { mounts = {} }] of Object.entries(skills)) {
    for (const [mount, path] of Object.entries(absolute(base, mounts))) {
      if (!`${state}/`.startsWith(path === '/' ? path : `${path}/`)) continue;
      throw new YamlFileError([
        `${file}: skills.${name}.mounts.${mount}: ${path} holds state_dir (${state}), whose sockets the skill could use: put one of both elsewhere`,
      ]);
    }
  }
}

function requireTokenBeyondLoopback({ server }: Config, file: string): void {
  if (server.token !== undefined || isLoopback(server.host)) return;
  throw new YamlFileError([
    `${file}: server.host: ${server.host} can be reached from other machines, so server.token (or PHOENIX_SERVER_TOKEN) is required`,
  ]);
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
