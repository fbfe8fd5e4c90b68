/** What some skills need beside their code: packages with native code, models, folders. Nothing of it can be written from inside. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import type { NativePackage, NativePackageName } from '../bundle/index.ts';
import type { ModelRole } from '../models/index.ts';
import type { LaunchSpec } from './runtime.ts';

/** The part of a launch specification that is meant. */
export type Extras = Pick<LaunchSpec, 'native' | 'models' | 'mounts' | 'toolchain'>;

/**
 * Where the programs of a machine lie, with what they link to and the few settings that they do not run without. Nothing of a user, no
 * keys and no passwords: those lie in /etc, /home, /root, /var and /run.
 */
const TOOLCHAIN = [
  ...['/usr', '/bin', '/lib', '/lib32', '/lib64'],
  ...['/etc/alternatives', '/etc/ld.so.cache', '/etc/localtime', '/etc/passwd', '/etc/group', '/etc/nsswitch.conf'],
];

/** Where a handler in /app finds a package that it imports. */
export function nativePath(name: NativePackageName): string {
  return `/app/node_modules/${name}`;
}

/** Where a skill with a root of its own finds a model. */
export function modelPath(role: ModelRole): string {
  return `/models/${role}.gguf`;
}

/** Where a skill with a root of its own finds a folder. */
function mountPath(name: string): string {
  return `/mnt/${name}`;
}

/** The folders as a skill with a root of its own sees them. Those inside others need no name. */
export function mountsInside({ mounts }: Pick<Extras, 'mounts'>): Record<string, string> {
  return Object.fromEntries(outermost(mounts).map(([name]) => [name, mountPath(name)]));
}

/** Of the folders those that are not inside another: `tree`, and not `tree/node_modules`. */
export function outermost(mounts: Extras['mounts']): [name: string, path: string][] {
  return Object.entries(mounts).filter(([name]) => !name.includes('/'));
}

/** What of this machine a skill with a root of its own sees, parents first: path outside, path inside. */
export function sharedFolders({
  mounts,
  toolchain,
}: Pick<Extras, 'mounts' | 'toolchain'>): [outside: string, inside: string][] {
  const programs = toolchain ? TOOLCHAIN.filter((path) => existsSync(path)) : [];
  return [
    ...programs.map((path): [string, string] => [realpathSync(path), path]),
    ...Object.entries(mounts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, path]): [string, string] => [realpathSync(path), mountPath(name)]),
  ];
}

/** The models of a skill: role, path outside. */
export function modelsOf({ models }: Pick<Extras, 'models'>): [role: ModelRole, path: string][] {
  return Object.entries(models) as [ModelRole, string][];
}

/** The models as a skill with a root of its own sees them. */
export function modelsInside(extras: Pick<Extras, 'models'>): Record<string, string> {
  return Object.fromEntries(modelsOf(extras).map(([role]) => [role, modelPath(role)]));
}

/** What tells one set of extras from another. A model is known by its path, size and time: reading it all would take seconds. */
export function extrasIdentity({ native, models, mounts, toolchain }: Extras): unknown {
  return {
    mounts,
    toolchain,
    native: native.map(({ name, version, hash }: NativePackage) => [name, version, hash]),
    models: modelsOf({ models }).map(([role, path]) => {
      const { size, mtimeMs } = statSync(path);
      return [role, path, size, mtimeMs];
    }),
  };
}
