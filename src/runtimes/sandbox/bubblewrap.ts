import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A user and group that owns nothing (nobody, nogroup). */
const NOBODY = '65534';
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];

export interface SandboxMounts {
  /** The Node binary. */
  node: string;
  /** Host and handler bundles and launch configuration: path outside -> path inside, read-only. */
  files: ReadonlyMap<string, string>;
  /** Path of the folder for the socket, mounted at SOCKET_DIR. */
  socketDir: string;
  /** Durable folder, mounted at DATA_DIR. */
  dataDir: string | undefined;
  tmpBytes: number;
}

export const NODE_PATH = '/bin/node';
export const SOCKET_DIR = '/run/skill';
export const DATA_DIR = '/data';

/**
 * Arguments of bwrap(1) for a skill: every namespace new, no capabilities, no further user namespaces, and a read-only root
 * that holds the Node binary, the libraries that it links to, and the skill's own files.
 */
export function bubblewrapArguments(name: string, mounts: SandboxMounts, command: readonly string[]): string[] {
  const readOnly = new Map([...mounts.files, [mounts.node, NODE_PATH], ...sharedLibraries()]);
  return [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--disable-userns',
    '--uid',
    NOBODY,
    '--gid',
    NOBODY,
    '--hostname',
    name,
    '--new-session',
    '--cap-drop',
    'ALL',
    '--clearenv',
    ...['--setenv', 'HOME', '/tmp', '--setenv', 'TMPDIR', '/tmp', '--setenv', 'UV_THREADPOOL_SIZE', '2'],
    // Read-only: under root, files such as /proc/sys/kernel/core_pattern would be writable through it.
    ...['--proc', '/proc', '--remount-ro', '/proc'],
    ...DEVICES.flatMap((device) => ['--dev-bind', device, device]),
    ...[...readOnly].flatMap(([outside, inside]) => ['--ro-bind', outside, inside]),
    ...['--bind', mounts.socketDir, SOCKET_DIR],
    ...(mounts.dataDir ? ['--bind', mounts.dataDir, DATA_DIR] : []),
    ...['--size', String(mounts.tmpBytes), '--perms', '1777', '--tmpfs', '/tmp'],
    '--remount-ro',
    '/',
    '--chdir',
    '/tmp',
    '--',
    ...command,
  ];
}

let libraries: Map<string, string> | undefined;

/** The shared objects of the running Node binary, which is the one that skills run on. */
function sharedLibraries(): Map<string, string> {
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
