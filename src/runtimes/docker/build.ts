import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleHandler, bundleHealthProbe, bundleHost, provideNative } from '../../bundle/index.ts';
import type { Manifest } from '../../manifest/index.ts';
import { type LocalPaths, makePrivateDir } from '../local/paths.ts';
import { type LaunchSpec, RuntimeError } from '../runtime.ts';
import { Engine, EngineError, engineSocket } from './engine.ts';
import { buildImage, findImage, type ImageParts, imageName } from './image.ts';
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

/** What the image of a skill is made of, with the health check that only containers need. */
export async function imagePartsOf(
  { manifest, hostPath, handlerPath, native }: Pick<LaunchSpec, 'manifest' | 'hostPath' | 'handlerPath' | 'native'>,
  paths: LocalPaths,
): Promise<ImageParts> {
  return { manifest, hostPath, handlerPath, native, healthPath: (await bundleHealthProbe(paths.bundles)).path };
}

/** An image as it would be built now. */
export interface ImagePlan {
  name: string;
  /** The engine has it already. */
  isCurrent: boolean;
  build(): Promise<void>;
}

/** Plans the image of a skill, on the base that it stands on already. @throws EngineError, BundleError */
export async function planSkillImage(engine: Engine, manifest: Manifest, paths: LocalPaths): Promise<ImagePlan> {
  const [host, handler, ...native] = await Promise.all([
    bundleHost(paths.bundles),
    bundleHandler(manifest.entryPath, paths.bundles),
    ...manifest.native.map((name) => provideNative(name, paths.bundles)),
  ]);
  const parts = await imagePartsOf({ manifest, hostPath: host.path, handlerPath: handler.path, native }, paths);
  const found = await findImage(engine, parts);
  const build = async () => {
    await buildSkillImage(manifest, paths, found?.base);
  };
  return { name: imageName({ manifest }), isCurrent: found !== undefined && found.flaw === undefined, build };
}

/**
 * Builds the image of a skill, unless the engine has it as it would be now.
 *
 * @param base an image that the engine has, to build on; undefined: on nothing
 * @throws RuntimeError without an engine, BundleError when the code does not build
 */
export async function buildSkillImage(
  manifest: Manifest,
  paths: LocalPaths,
  base: string | undefined,
): Promise<BuiltImage> {
  const socketPath = engineSocket();
  if (socketPath === undefined) throw new RuntimeError('there is no container engine: start one, then build');
  const engine = new Engine(socketPath);
  const [host, handler, ...native] = await Promise.all([
    bundleHost(paths.bundles),
    bundleHandler(manifest.entryPath, paths.bundles),
    ...manifest.native.map((name) => provideNative(name, paths.bundles)),
  ]);
  try {
    const parts = await imagePartsOf({ manifest, hostPath: host.path, handlerPath: handler.path, native }, paths);
    const found = await findImage(engine, parts);
    if (!found || found.flaw || found.base !== base) await buildImage(engine, parts, imageCacheOf(paths), base);
    const image = await findImage(engine, parts);
    if (!image) throw new RuntimeError(`the image ${imageName({ manifest })} was removed while it was built`);
    const sbom = join(makePrivateDir(imageCacheOf(paths)), `${imageName({ manifest }).replace(':', '-')}.cdx.json`);
    writeFileSync(sbom, softwareBillOfMaterials(manifest, [...host.sources, ...handler.sources], native));
    return { name: imageName({ manifest }), id: image.id, size: image.size, sbom };
  } catch (error) {
    if (error instanceof EngineError) throw new RuntimeError(error.message, { cause: error });
    throw error;
  }
}
