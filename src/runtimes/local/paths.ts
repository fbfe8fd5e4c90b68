import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A unix socket's path holds 108 bytes, the last one a zero (unix(7)). */
const MAX_SOCKET_PATH = 107;
const SOCKET_NAME = 'skill.sock';
/** 32 characters of a skill's name and the slot. */
const LONGEST_UNIT_NAME = 35;

/** Where the files of local skills live. */
export interface LocalPaths {
  /** Durable data of one skill. */
  data(skill: string): string;
  /** The only folder that both sides of a running skill see: its socket. Mode 0700. */
  socketDir(unit: string): string;
  /** Records of what runs, and launch configurations. */
  run(unit: string): string;
  log(skill: string): string;
  bundles: string;
}

/** Lays out the state directory. Sockets move to a short, stable temporary folder when its path is too long for them. */
export function localPaths(stateDir: string): LocalPaths {
  const inState = join(stateDir, 'sockets');
  const longest = join(inState, 'x'.repeat(LONGEST_UNIT_NAME), SOCKET_NAME);
  const id = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  const sockets = Buffer.byteLength(longest) <= MAX_SOCKET_PATH ? inState : join(tmpdir(), `phoenix-${id}`);
  return {
    data: (skill) => join(stateDir, 'skills', skill, 'data'),
    socketDir: (unit) => join(sockets, unit),
    run: (unit) => join(stateDir, 'run', unit),
    log: (skill) => join(stateDir, 'logs', `${skill}.log`),
    bundles: join(stateDir, 'cache', 'bundles'),
  };
}

/** Names the folders of one of the instances of a skill that run at the same time. */
export function unitName(skill: string, slot: number): string {
  return slot === 0 ? skill : `${skill}.${slot}`;
}

export function socketPath(paths: LocalPaths, unit: string): string {
  return join(paths.socketDir(unit), SOCKET_NAME);
}

/** Makes a folder that only its owner may enter. */
export function makePrivateDir(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
