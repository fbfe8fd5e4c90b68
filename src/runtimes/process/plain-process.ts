import { realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NativePackage } from '../../bundle/index.ts';
import { modelsOf, outermost } from '../extras.ts';
import { handlerIn } from '../local/code-dir.ts';
import type { LocalIsolation } from '../local/local-runtime.ts';
import { makePrivateDir } from '../local/paths.ts';
import { nodeFlags } from '../node-flags.ts';

/**
 * A child process under Node's permission model: files only in its own folders, no child processes, workers, and addons only for skills that name packages with native code,
 * which the model does not bind.
 * The network is NOT restricted: for machines that have neither a container engine nor bubblewrap.
 */
export const plainProcess: LocalIsolation = {
  name: 'process',
  level: 'process',
  policyVersion: 1,
  probe: () =>
    Promise.resolve({
      available: true,
      detail: "Node's permission model: files are restricted, the network is not",
      hint: 'install bubblewrap or a container engine for real isolation',
    }),
  inside: (files, spec) => ({
    socket: join(files.socketDir, 'skill.sock'),
    handler: handlerIn(files.codeDir),
    dataDir: files.dataDir,
    models: Object.fromEntries(modelsOf(spec).map(([role, path]) => [role, realpathSync(path)])),
    mounts: Object.fromEntries(outermost(spec.mounts).map(([name, path]) => [name, realpathSync(path)])),
    tmpDir: files.tmpDir,
  }),
  command: (files, spec) => {
    linkPackages(spec.native, files.codeDir);
    const readable = [
      spec.hostPath,
      `${files.codeDir}/*`,
      files.launchConfigPath,
      ...spec.native.map(({ folder }) => `${folder}/*`),
      // Where native code looks for the C library that it is running on.
      ...(spec.native.length > 0 ? ['/proc/self/maps'] : []),
      ...modelsOf(spec).map(([, path]) => realpathSync(path)),
      ...outermost(spec.mounts).flatMap(([, path]) => [realpathSync(path), `${realpathSync(path)}/*`]),
    ];
    const writable = [files.socketDir, files.tmpDir, ...(files.dataDir ? [files.dataDir] : [])];
    return {
      file: process.execPath,
      args: [
        ...nodeFlags(spec.manifest.resources.memory),
        '--permission',
        ...(spec.native.length > 0 ? ['--allow-addons'] : []),
        ...readable.map((path) => `--allow-fs-read=${path}`),
        ...writable.flatMap((path) => [`--allow-fs-read=${path}/*`, `--allow-fs-write=${path}/*`]),
        // The folder itself, for what lists or syncs it.
        ...writable.flatMap((path) => [`--allow-fs-read=${path}`, `--allow-fs-write=${path}`]),
        spec.hostPath,
        files.launchConfigPath,
      ],
      env: { HOME: files.tmpDir, TMPDIR: files.tmpDir, PATH: dirname(process.execPath), UV_THREADPOOL_SIZE: '2' },
      cgroups: [],
    };
  },
};

/** Puts packages where Node looks for what the handler imports. */
function linkPackages(packages: readonly NativePackage[], codeDir: string): void {
  const modules = join(codeDir, 'node_modules');
  rmSync(modules, { recursive: true, force: true });
  for (const { name, folder } of packages) symlinkSync(folder, join(makePrivateDir(modules), name));
}
