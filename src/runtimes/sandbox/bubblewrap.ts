import { sharedLibraries } from '../shared-libraries.ts';

/** A user and group that owns nothing (nobody, nogroup). */
const NOBODY = '65534';
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];

export interface SandboxMounts {
  /** The Node binary. */
  node: string;
  /** Folders and files of this machine that are seen: path outside, path inside, parents first, read-only. */
  shared: readonly (readonly [outside: string, inside: string])[];
  /** Host and handler bundles, launch configuration and what else is read: path outside -> path inside, read-only. */
  files: ReadonlyMap<string, string>;
  /** Path of the folder for the socket, mounted at SOCKET_DIR. */
  socketDir: string;
  /** Durable folder, mounted at DATA_DIR. */
  dataDir: string | undefined;
  tmpBytes: number;
  /** Variables beside the usual ones. */
  environment: Readonly<Record<string, string>>;
  /** A filter of system calls comes as file number 3. */
  filtersCalls: boolean;
}

export const NODE_PATH = '/app/node';
export const SOCKET_DIR = '/run/skill';
export const DATA_DIR = '/data';

/**
 * Arguments of bwrap(1) for a skill: every namespace new, no capabilities, no further user namespaces, and a read-only root
 * that holds the Node binary, the libraries that it links to, and the skill's own files.
 */
export function bubblewrapArguments(name: string, mounts: SandboxMounts, command: readonly string[]): string[] {
  // Those in folders that are seen anyway are there.
  const libraries = [...sharedLibraries()].filter(
    ([, inside]) => !mounts.shared.some(([, folder]) => inside.startsWith(`${folder}/`)),
  );
  const readOnly = [...mounts.shared, ...new Map([...mounts.files, [mounts.node, NODE_PATH], ...libraries])];
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
    ...Object.entries({ HOME: '/tmp', TMPDIR: '/tmp', UV_THREADPOOL_SIZE: '2', ...mounts.environment }).flatMap(
      ([variable, value]) => ['--setenv', variable, value],
    ),
    // Read-only: under root, files such as /proc/sys/kernel/core_pattern would be writable through it.
    ...['--proc', '/proc', '--remount-ro', '/proc'],
    ...DEVICES.flatMap((device) => ['--dev-bind', device, device]),
    ...readOnly.flatMap(([outside, inside]) => ['--ro-bind', outside, inside]),
    ...['--bind', mounts.socketDir, SOCKET_DIR],
    ...(mounts.dataDir ? ['--bind', mounts.dataDir, DATA_DIR] : []),
    ...['--size', String(mounts.tmpBytes), '--perms', '1777', '--tmpfs', '/tmp'],
    ...(mounts.filtersCalls ? ['--seccomp', '3'] : []),
    '--remount-ro',
    '/',
    '--chdir',
    '/tmp',
    '--',
    ...command,
  ];
}
