/** What some skills need beside their code: packages with native code, and models. Nothing of it can be written from inside. */
import { statSync } from 'node:fs';
import type { NativePackage, NativePackageName } from '../bundle/index.ts';
import type { ModelRole } from '../models/index.ts';
import type { LaunchSpec } from './runtime.ts';

/** The part of a launch specification that is meant. */
export type Extras = Pick<LaunchSpec, 'native' | 'models'>;

/** Where a handler in /app finds a package that it imports. */
export function nativePath(name: NativePackageName): string {
  return `/app/node_modules/${name}`;
}

/** Where a skill with a root of its own finds a model. */
export function modelPath(role: ModelRole): string {
  return `/models/${role}.gguf`;
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
export function extrasIdentity({ native, models }: Extras): unknown {
  return {
    native: native.map(({ name, version, hash }: NativePackage) => [name, version, hash]),
    models: modelsOf({ models }).map(([role, path]) => {
      const { size, mtimeMs } = statSync(path);
      return [role, path, size, mtimeMs];
    }),
  };
}
