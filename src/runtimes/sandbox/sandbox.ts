import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { modelPath, modelsInside, modelsOf, mountsInside, nativePath, sharedFolders } from '../extras.ts';
import { findProgram } from '../find-program.ts';
import { handlerIn } from '../local/code-dir.ts';
import type { LocalIsolation } from '../local/local-runtime.ts';
import { nodeFlags } from '../node-flags.ts';
import type { Probe } from '../runtime.ts';
import { bubblewrapArguments, DATA_DIR, NODE_PATH, SOCKET_DIR } from './bubblewrap.ts';
import { createCgroups, removeCgroups } from './cgroup.ts';
import { systemCallFilter } from './seccomp.ts';

const HOST_PATH = '/app/host.mjs';
const CODE_DIR = '/app/code';
const LAUNCH_PATH = '/app/launch.json';
/** Beside the host, as outside. */
const COMPILE_CACHE_DIR = '/app/cache';

/**
 * Joins the control groups and sets the resource limits before bwrap starts, then becomes it. $1: limit of private memory in
 * KiB; $2: file that bwrap reads as number 3, or nothing; $3: number of groups; then their folders, then the command.
 */
const JOIN_AND_EXEC = [
  'set -e',
  'ulimit -c 0',
  'ulimit -n 1024',
  '[ "$1" = 0 ] || ulimit -d "$1"',
  '[ -z "$2" ] || exec 3< "$2"',
  'n=$3; shift 3',
  'while [ "$n" -gt 0 ]; do echo 0 > "$1/cgroup.procs"; shift; n=$((n - 1)); done',
  'exec "$@"',
].join('\n');

/** What Node maps privately before a skill has done anything; the memory limit starts above it. */
const NODE_BASE_BYTES = 512 * 1024 ** 2;

/** bubblewrap: new namespaces, no capabilities, a read-only root, control groups or resource limits. */
export const sandbox: LocalIsolation = {
  name: 'sandbox',
  level: 'sandbox',
  policyVersion: 3,
  probe: probeBubblewrap,
  inside: (files, spec) => ({
    socket: `${SOCKET_DIR}/skill.sock`,
    handler: handlerIn(CODE_DIR),
    dataDir: files.dataDir ? DATA_DIR : undefined,
    models: modelsInside(spec),
    mounts: mountsInside(spec),
    tmpDir: '/tmp',
  }),
  command: (files, spec, instanceId) => {
    const { memory, cpus, pids, tmp } = spec.manifest.resources;
    const cgroups = createCgroups(`${spec.manifest.name}-${instanceId}`, { memoryBytes: memory, cpus, pids });
    const privateKib = cgroups.length > 0 ? 0 : Math.ceil((memory + NODE_BASE_BYTES) / 1024);
    const filterPath = writeFilter(dirname(files.launchConfigPath));
    const bwrap = bubblewrapArguments(
      `skill-${spec.manifest.name}`,
      {
        node: process.execPath,
        shared: sharedFolders(spec),
        files: new Map([
          [spec.hostPath, HOST_PATH],
          [files.codeDir, CODE_DIR],
          [files.launchConfigPath, LAUNCH_PATH],
          ...(spec.compileCache === undefined ? [] : [[spec.compileCache, COMPILE_CACHE_DIR] as const]),
          ...spec.native.map(({ name, folder }) => [folder, nativePath(name)] as const),
          ...modelsOf(spec).map(([role, path]) => [path, modelPath(role)] as const),
        ]),
        socketDir: files.socketDir,
        dataDir: files.dataDir,
        tmpBytes: tmp,
        filtersCalls: filterPath !== '',
        environment:
          spec.compileCache === undefined
            ? {}
            : { NODE_COMPILE_CACHE: COMPILE_CACHE_DIR, NODE_COMPILE_CACHE_PORTABLE: '1' },
      },
      [NODE_PATH, ...nodeFlags(memory), HOST_PATH, LAUNCH_PATH],
    );
    return {
      file: '/bin/sh',
      args: [
        '-c',
        JOIN_AND_EXEC,
        'sh',
        String(privateKib),
        filterPath,
        String(cgroups.length),
        ...cgroups,
        findProgram('bwrap') ?? 'bwrap',
        ...bwrap,
      ],
      // Nothing of ours: the first process in the sandbox shows its environment.
      env: {},
      cgroups,
    };
  },
};

/** @returns its path; empty on processors for which there is none */
function writeFilter(folder: string): string {
  const filter = systemCallFilter();
  if (!filter) return '';
  const path = join(folder, 'seccomp.bpf');
  writeFileSync(path, filter, { mode: 0o600 });
  return path;
}

async function probeBubblewrap(): Promise<Probe> {
  const bwrapPath = findProgram('bwrap');
  if (process.platform !== 'linux') {
    return { available: false, detail: 'bubblewrap is for Linux only', hint: 'use a container engine for isolation' };
  }
  if (bwrapPath === undefined) {
    return {
      available: false,
      detail: 'bubblewrap (bwrap) is not installed',
      hint: 'install the package bubblewrap, for example: apt-get install bubblewrap',
    };
  }
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-probe-'));
  try {
    const filterPath = writeFilter(folder);
    const args = bubblewrapArguments(
      'probe',
      {
        node: process.execPath,
        shared: [],
        files: new Map(),
        socketDir: '/tmp',
        dataDir: undefined,
        tmpBytes: 1024 ** 2,
        environment: {},
        filtersCalls: filterPath !== '',
      },
      [NODE_PATH, '--version'],
    );
    const command = ['-c', JOIN_AND_EXEC, 'sh', '0', filterPath, '0', bwrapPath, ...args];
    await promisify(execFile)('/bin/sh', command, { timeout: 10_000 });
    const groups = createCgroups('probe', { memoryBytes: 64 * 1024 ** 2, cpus: 1, pids: 16 });
    await removeCgroups(groups);
    const limits =
      groups.length > 0 ? 'limits by control groups' : 'memory limited by resource limits, no CPU and process limits';
    return { available: true, detail: `bubblewrap works; ${limits}` };
  } catch (error) {
    return { available: false, detail: `bubblewrap does not work here: ${firstLine(error)}`, hint: namespaceHint() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n')[0] ?? '';
}

/** Why user namespaces may be denied, for the systems that deny them by default. */
function namespaceHint(): string {
  const setting = (path: string) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return undefined;
    }
  };
  if (setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return 'AppArmor denies user namespaces: add a profile for bwrap, or: sysctl kernel.apparmor_restrict_unprivileged_userns=0';
  }
  if (setting('/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return 'user namespaces are switched off: sysctl kernel.unprivileged_userns_clone=1';
  }
  return 'inside a container, user namespaces need a seccomp profile that allows them; or run Phoenix on the host';
}
