import { dirname, join } from 'node:path';
import { handlerIn } from '../local/code-dir.ts';
import type { LocalIsolation } from '../local/local-runtime.ts';
import { nodeFlags } from '../node-flags.ts';

/**
 * A child process under Node's permission model: files only in its own folders, no child processes, workers or addons.
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
  inside: (files) => ({
    socket: join(files.socketDir, 'skill.sock'),
    handler: handlerIn(files.codeDir),
    dataDir: files.dataDir,
    tmpDir: files.tmpDir,
  }),
  command: (files, spec) => {
    const readable = [spec.hostPath, `${files.codeDir}/*`, files.launchConfigPath];
    const writable = [files.socketDir, files.tmpDir, ...(files.dataDir ? [files.dataDir] : [])];
    return {
      file: process.execPath,
      args: [
        ...nodeFlags(spec.manifest.resources.memory),
        '--permission',
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
