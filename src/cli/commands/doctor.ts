import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { skillFolders } from '../../assistant/index.ts';
import type { LoadedConfig } from '../../config/index.ts';
import { findCompose } from '../../deploy/index.ts';
import { readCatalog } from '../../manifest/index.ts';
import {
  differences,
  inspectModel,
  MODEL_ROLES,
  ModelError,
  ModelStore,
  parseReference,
  readVocabulary,
} from '../../models/index.ts';
import { createRuntimes, localPaths, selectRuntime } from '../../runtimes/index.ts';
import { toMib } from '../table.ts';
import { configOf } from '../with-operations.ts';

interface Finding {
  what: string;
  state: 'ok' | 'warning' | 'problem';
  detail: string;
  /** What to do about it. */
  hint?: string;
}

const MARKS = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const;
const LITTLE_DISK_BYTES = 1024 ** 3;

/** `phoenix doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('What this machine offers, and what to do about what is missing.')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const findings = await examine(configOf(command));
      process.stdout.write(json ? `${JSON.stringify(findings, undefined, 2)}\n` : findings.map(toText).join(''));
      if (findings.some(({ state }) => state === 'problem')) process.exitCode = 1;
    });
}

async function examine(config: LoadedConfig): Promise<Finding[]> {
  const runtimes = createRuntimes(localPaths(config.state_dir), config.docker, config.skill_record);
  const findings: Finding[] = [
    { what: 'node', state: 'ok', detail: `${process.version} on ${process.platform} ${process.arch}` },
    stateDir(config.state_dir),
    disk(config.state_dir),
  ];
  for (const runtime of runtimes) {
    const { available, detail, hint } = await runtime.probe();
    findings.push({
      what: `runtime ${runtime.name}`,
      state: available ? 'ok' : 'warning',
      detail,
      ...(hint ? { hint } : {}),
    });
  }
  findings.push(
    await selectRuntime(runtimes, config.skill_runtime).then(
      ({ reason }): Finding => ({
        what: `skill_runtime ${config.skill_runtime}`,
        state: 'ok',
        detail: `uses ${reason}`,
      }),
      (error: Error): Finding => ({ what: 'skill_runtime', state: 'problem', detail: error.message }),
    ),
  );
  findings.push(compose());
  const { skills, broken } = readCatalog(skillFolders(config));
  findings.push({
    what: 'skills',
    state: skills.size > 0 ? 'ok' : 'problem',
    detail: [...skills.keys()].join(', ') || 'none found',
  });
  for (const { name, error } of broken.values())
    findings.push({ what: `skill ${name}`, state: 'problem', detail: error.message });
  findings.push(...models(config));
  return findings;
}

/** The models that are configured: whether their files are there and whole, and go together. */
function models(config: LoadedConfig): Finding[] {
  const store = ModelStore.of(config.state_dir);
  const used: string[] = [];
  const findings = MODEL_ROLES.map((role): Finding => {
    const what = `model ${role}`;
    try {
      const path = store.resolve(parseReference(config.models[role]), role);
      if (path === undefined) return { what, state: 'ok', detail: 'none: switched off' };
      const { name, parameters, quantization, size } = inspectModel(path);
      used.push(path);
      const millions = (parameters / 1e6).toFixed(1);
      return { what, state: 'ok', detail: `${name}, ${millions} million parameters, ${quantization}, ${toMib(size)}` };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { what, state: 'problem', detail: error.message };
    }
  });
  const [target, draft] = used;
  const unlike = target && draft ? differences(readVocabulary(target), readVocabulary(draft)) : [];
  if (unlike.length > 0) {
    findings.push({
      what: 'models',
      state: 'warning',
      detail: `target and draft do not go together: ${unlike.join('; ')}`,
      hint: 'set models.draft to a smaller model with the vocabulary of the target, or to none',
    });
  }
  return findings;
}

function stateDir(path: string): Finding {
  const nearest = nearestExisting(path);
  try {
    accessSync(nearest, constants.W_OK);
    return { what: 'state folder', state: 'ok', detail: `${path} can be written` };
  } catch {
    return {
      what: 'state folder',
      state: 'problem',
      detail: `${path} cannot be written`,
      hint: 'set state_dir (or PHOENIX_STATE_DIR)',
    };
  }
}

function disk(path: string): Finding {
  const { bavail, bsize } = statfsSync(nearestExisting(path));
  const free = bavail * bsize;
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  if (free >= LITTLE_DISK_BYTES) return { what: 'disk', state: 'ok', detail };
  return { what: 'disk', state: 'warning', detail, hint: 'the memory cannot grow on a full disk: free some space' };
}

function compose(): Finding {
  const found = findCompose();
  if (found) return { what: 'compose', state: 'ok', detail: `${found.command.join(' ')} ${found.version}` };
  return {
    what: 'compose',
    state: 'warning',
    detail: 'neither "docker compose" nor "docker-compose" is installed',
    hint: 'only "phoenix deploy" needs it: for example apt-get install docker-compose',
  };
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

function toText({ what, state, detail, hint }: Finding): string {
  return `${MARKS[state]}  ${what}: ${detail}\n${hint && state !== 'ok' ? `         to do: ${hint}\n` : ''}`;
}
