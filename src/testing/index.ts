/** For the tests of a skill: `import { testSkill } from 'phoenix/testing'`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferRequest, InferResponse } from '../contract/index.ts';
import { readManifest } from '../manifest/index.ts';
import { shippedModels } from '../models/index.ts';
import { type CallOptions, ModelPool, type SkillClient } from '../pool/index.ts';
import { createRuntimes, localPaths, selectRuntime } from '../runtimes/index.ts';

/** A skill that was launched for a test. */
export interface TestedSkill extends AsyncDisposable, Pick<SkillClient, 'skill' | 'draft'> {
  infer(request: Partial<InferRequest>, options?: CallOptions): Promise<InferResponse>;
  inferStream(request: Partial<InferRequest>, options?: CallOptions): AsyncIterable<InferResponse>;
}

/**
 * Launches the skill of a folder in the strongest isolation that works here; disposing of it stops it and removes its data.
 *
 * @throws YamlFileError, SkillLaunchError
 */
export async function testSkill(folder: string): Promise<TestedSkill> {
  const manifest = readManifest(join(folder, 'skill.yaml'));
  const stateDir = mkdtempSync(join(tmpdir(), 'phoenix-skill-'));
  const paths = localPaths(stateDir);
  const { runtime } = await selectRuntime(createRuntimes(paths), 'auto');
  const pool = new ModelPool({
    catalog: { skills: new Map([[manifest.name, manifest]]), broken: new Map() },
    runtime,
    bundleDir: paths.bundles,
    modelFile: shippedModels,
  });
  const dispose = async () => {
    await pool.close();
    rmSync(stateDir, { recursive: true, force: true });
  };
  try {
    const client = await pool.getSkillClient(manifest.name);
    return {
      skill: client.skill,
      draft: (listener, options) => client.draft(listener, options),
      infer: (request, options) => client.infer(request, options),
      inferStream: (request, options) => client.inferStream(request, options),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
