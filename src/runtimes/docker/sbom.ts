import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filesOf, type NativePackage } from '../../bundle/index.ts';
import type { Manifest } from '../../manifest/index.ts';
import { batchStarter } from '../priority.ts';
import { sharedLibraries } from '../shared-libraries.ts';
import { programOf } from './program.ts';

interface Component {
  type: 'platform' | 'library' | 'application';
  name: string;
  version?: string;
  purl?: string;
  licenses?: { license: { name: string } }[];
  hashes?: { alg: 'SHA-256'; content: string }[];
  properties?: { name: string; value: string }[];
}

/** What of ICU's data images have, where it is not all. */
const ICU_SUBSET = {
  name: 'sarai:icu-data',
  value: 'subset: names of languages, regions, time zones and units in English and Spanish; encodings of the Web',
};

/**
 * What is in the image of a skill: Node, shared libraries, and the npm packages of the bundles. CycloneDX 1.5
 * (https://cyclonedx.org/docs/1.5/json/); the same input always gives the same text.
 *
 * @param sources absolute paths of the files that the bundles were made of
 * @param native packages with native code that stand beside them
 */
export function softwareBillOfMaterials(
  manifest: Manifest,
  sources: readonly string[],
  native: readonly NativePackage[],
): string {
  const { name, version } = manifest;
  const programs = [batchStarter(manifest)].filter((path) => path !== undefined);
  const libraries = [...sharedLibraries().keys()].sort();
  const components: Component[] = [
    {
      type: 'platform',
      name: 'node',
      version: process.versions.node,
      purl: `pkg:generic/node@${process.versions.node}`,
      ...(programOf(process.execPath)?.hasIcuSubset ? { properties: [ICU_SUBSET] } : {}),
    },
    ...libraries.map((path): Component => ({ type: 'library', name: basename(path), hashes: [sha256(path)] })),
    ...programs.map((path): Component => ({ type: 'application', name: basename(path), hashes: [sha256(path)] })),
    ...packagesOf([...sources, ...native.flatMap(({ sources: of }) => of)]),
    ...native.flatMap(binariesOf),
  ];
  return `${JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: { component: { type: 'container', name: `saraiskill.${name}`, version } },
      components,
    },
    undefined,
    2,
  )}\n`;
}

/** The shared objects of a package with native code. */
function binariesOf(one: NativePackage): Component[] {
  const binaries = filesOf(one).filter((file) => file.startsWith('bins/') && !file.endsWith('.json'));
  return binaries.map((file) => ({
    type: 'library',
    name: basename(file),
    version: one.version,
    hashes: [sha256(join(one.folder, file))],
  }));
}

function sha256(path: string): { alg: 'SHA-256'; content: string } {
  return { alg: 'SHA-256', content: createHash('sha256').update(readFileSync(path)).digest('hex') };
}

/** The npm packages that files belong to. */
function packagesOf(sources: readonly string[]): Component[] {
  const folders = new Set(sources.filter((path) => path.includes('/node_modules/')).map(packageFolder));
  const packages = [...folders]
    .filter((folder) => folder !== undefined)
    .map((folder): Component => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      return {
        type: 'library',
        name: name ?? basename(folder),
        ...(version ? { version, purl: `pkg:npm/${name?.replace('@', '%40')}@${version}` } : {}),
        ...(license ? { licenses: [{ license: { name: license } }] } : {}),
      };
    });
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The nearest folder whose package.json has a version: packages have further ones inside for their formats. */
function packageFolder(path: string): string | undefined {
  for (let folder = dirname(path); folder.includes('/node_modules/'); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version) return folder;
  }
  return undefined;
}
