import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleHandler, bundleHost } from '../../bundle/index.ts';
import type { Manifest } from '../../manifest/index.ts';
import { type LocalPaths, makePrivateDir } from '../local/paths.ts';
import { RuntimeError } from '../runtime.ts';
import { Engine, EngineError, engineSocket } from './engine.ts';
import { ensureImage, imageName, inspectImage } from './image.ts';
import { softwareBillOfMaterials } from './sbom.ts';

export interface BuiltImage {
  name: string;
  id: string;
  /** Bytes, uncompressed. */
  size: number;
  /** Path of its bill of materials, CycloneDX JSON. */
  sbom: string;
}

/** Where layers are kept between builds. */
export function imageCacheOf(paths: LocalPaths): string {
  return join(dirname(paths.bundles), 'images');
}

/**
 * Builds the image of a skill, unless the engine has it as it would be now.
 *
 * @throws RuntimeError without an engine, BundleError when the code does not build
 */
export async function buildSkillImage(manifest: Manifest, paths: LocalPaths): Promise<BuiltImage> {
  const socketPath = engineSocket();
  if (socketPath === undefined) throw new RuntimeError('there is no container engine: start one, then build');
  const engine = new Engine(socketPath);
  const [host, handler] = await Promise.all([
    bundleHost(paths.bundles),
    bundleHandler(manifest.entryPath, paths.bundles),
  ]);
  try {
    const parts = { manifest, hostPath: host.path, handlerPath: handler.path };
    const id = await ensureImage(engine, parts, imageCacheOf(paths));
    const image = await inspectImage(engine, imageName({ manifest }));
    const sbom = join(makePrivateDir(imageCacheOf(paths)), `${imageName({ manifest }).replace(':', '-')}.cdx.json`);
    writeFileSync(sbom, softwareBillOfMaterials(manifest, [...host.sources, ...handler.sources]));
    return { name: imageName({ manifest }), id, size: image?.Size ?? 0, sbom };
  } catch (error) {
    if (error instanceof EngineError) throw new RuntimeError(error.message, { cause: error });
    throw error;
  }
}
