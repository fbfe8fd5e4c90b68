import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ModelError } from './error.ts';
import { checkModel } from './inspect.ts';
import { formatReference, type ModelReference, type ModelRole, parseReference } from './reference.ts';

/** The pair that comes with Phoenix. */
const NANO: Record<ModelRole, string> = {
  target: fileURLToPath(new URL('../../models/nano/nano-target-q8_0.gguf', import.meta.url)),
  draft: fileURLToPath(new URL('../../models/nano/nano-draft-q8_0.gguf', import.meta.url)),
};

const manifestSchema = z.object({
  format: z.literal(1),
  /** The reference that it was pulled by. */
  source: z.string(),
  /** The address that it came from. */
  url: z.string(),
  file: z.string(),
  size: z.int().nonnegative(),
  sha256: z.string(),
  /** Whether that is what the source publishes; otherwise it is what arrived. */
  verified: z.boolean(),
  /** ISO 8601. */
  pulledAt: z.string(),
});

/** What is written down about a pulled file. Format 1. */
export type ModelManifest = z.output<typeof manifestSchema>;

export interface StoredModel extends ModelManifest {
  path: string;
}

/** The file of the model for a role, as it can be used. @throws ModelError that says why there is none */
export type ModelFiles = (role: ModelRole) => string;

/** The pair that comes with Phoenix. */
export const shippedModels: ModelFiles = (role) => NANO[role];

/** Finds the models that a configuration names; what is damaged is refused. */
export function modelFiles(configured: Readonly<Record<ModelRole, string>>, store: ModelStore): ModelFiles {
  return (role) => {
    const path = store.resolve(parseReference(configured[role]), role);
    if (path === undefined) throw new ModelError(`models.${role} is "none": it needs a model there, for example nano`);
    checkModel(path);
    return path;
  };
}

/** Model files that were pulled, each with a manifest beside it. */
export class ModelStore {
  readonly folder: string;

  /** @param folder made when something is pulled */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** The store of an installation. */
  static of(stateDir: string): ModelStore {
    return new ModelStore(join(stateDir, 'models'));
  }

  /** What was pulled, by its source. Files without a manifest that can be read are none of ours. */
  list(): StoredModel[] {
    if (!existsSync(this.folder)) return [];
    const manifests = readdirSync(this.folder).filter((name) => name.endsWith('.gguf.json'));
    return manifests
      .flatMap((name) => this.#read(join(this.folder, name)) ?? [])
      .sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  find(reference: ModelReference): StoredModel | undefined {
    return this.list().find(({ source }) => source === formatReference(reference));
  }

  /**
   * The file of a model, as it is to be used in this role.
   *
   * @returns undefined for `none`
   * @throws ModelError when it is not here or not whole
   */
  resolve(reference: ModelReference, role: ModelRole): string | undefined {
    if (reference.kind === 'none') return undefined;
    if (reference.kind === 'nano') return NANO[role];
    if (reference.kind === 'path') return reference.path;
    const text = formatReference(reference);
    const stored = this.find(reference);
    if (!stored) throw new ModelError(`${text} is not here yet: run "phoenix models pull ${text}"`);
    if (this.isWhole(stored)) return stored.path;
    throw new ModelError(`${stored.path} is gone or has another size than it had: run "phoenix models pull ${text}"`);
  }

  /** Whether its file is there, as long as it was pulled. */
  isWhole({ path, size }: StoredModel): boolean {
    return statSync(path, { throwIfNoEntry: false })?.size === size;
  }

  /** Where a model of this source and file name belongs. The name says what it is, the hash keeps sources apart. */
  pathOf(source: string, fileName: string): string {
    const hash = createHash('sha256').update(source).digest('hex').slice(0, 8);
    const name = basename(fileName, '.gguf').replace(/[^A-Za-z0-9._-]/g, '_');
    return join(this.makeFolder(), `${name}-${hash}.gguf`);
  }

  /** Takes over a whole file, in one step each: a reader finds both or a file without a manifest. */
  add(from: string, to: string, manifest: Omit<ModelManifest, 'format' | 'file' | 'pulledAt'>): StoredModel {
    const written: ModelManifest = {
      format: 1,
      ...manifest,
      file: basename(to),
      pulledAt: new Date().toISOString(),
    };
    renameSync(from, to);
    const temporary = `${to}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify(written, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, `${to}.json`);
    return { ...written, path: to };
  }

  /** Deletes what was pulled. @returns the bytes that it took; undefined when there is no such model */
  remove(reference: ModelReference): number | undefined {
    const stored = this.find(reference);
    if (!stored) return undefined;
    rmSync(`${stored.path}.json`, { force: true });
    rmSync(stored.path, { force: true });
    return stored.size;
  }

  makeFolder(): string {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    return this.folder;
  }

  #read(path: string): StoredModel | undefined {
    try {
      const manifest = manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
      return { ...manifest, path: join(this.folder, basename(manifest.file)) };
    } catch {
      return undefined;
    }
  }
}
