import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { containerUser } from '../runtimes/index.ts';

/** What is mounted into containers belongs to the user that they run as; nobody else may read it. */
const MOUNTED = /^(sarai|secrets|skills)(\/|$)/;

/** Files by path, relative to the folder of the deployment. */
export type Files = ReadonlyMap<string, string>;

/** The folder of a deployment: what compose reads and mounts. */
export class DeployFolder {
  readonly path: string;

  constructor(stateDir: string) {
    this.path = join(stateDir, 'deploy');
  }

  join(name: string): string {
    return join(this.path, name);
  }

  /** @returns undefined when there is no such file */
  read(name: string): string | undefined {
    const path = this.join(name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  /** Everything that is there. */
  all(): Files {
    if (!existsSync(this.path)) return new Map();
    const entries = readdirSync(this.path, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
    return new Map(
      entries.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [relative(this.path, path), readFileSync(path, 'utf8')];
      }),
    );
  }

  /** What would have to change for these files, and no others, to be there. */
  difference(files: Files): { written: string[]; removed: string[] } {
    const current = this.all();
    return {
      written: [...files].filter(([name, content]) => current.get(name) !== content).map(([name]) => name),
      removed: [...current.keys()].filter((name) => !files.has(name)),
    };
  }

  /** Makes these files, and no others, be there. One that is as it should be is not touched. */
  replace(files: Files): void {
    const { written, removed } = this.difference(files);
    for (const name of written) this.write(name, files.get(name) ?? '');
    for (const name of removed) rmSync(this.join(name), { force: true });
  }

  /** Replaces a file in one step. */
  write(name: string, content: string): void {
    this.#makeFolder(dirname(name));
    const path = this.join(name);
    writeFileSync(`${path}.tmp`, content, { mode: 0o600 });
    this.#give(name, `${path}.tmp`);
    renameSync(`${path}.tmp`, path);
  }

  remove(name: string): void {
    rmSync(this.join(name), { force: true });
  }

  #makeFolder(name: string): void {
    const path = this.join(name);
    if (existsSync(path)) return;
    if (name !== '.') this.#makeFolder(dirname(name));
    mkdirSync(path, { recursive: true, mode: 0o700 });
    this.#give(name, path);
  }

  #give(name: string, path: string): void {
    if (process.getuid?.() !== 0 || !MOUNTED.test(name)) return;
    const { uid, gid } = containerUser();
    chownSync(path, uid, gid);
  }
}
