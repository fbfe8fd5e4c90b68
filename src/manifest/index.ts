/** Skill manifests: skill.yaml. */
export {
  type BrokenSkill,
  type Catalog,
  ISOLATION_LEVELS,
  type Manifest,
  readCatalog,
  readManifest,
} from './manifest.ts';
