import { createHash } from 'node:crypto';
import type { Bundle } from '../bundle/index.ts';
import type { Manifest } from '../manifest/index.ts';
import { type Extras, extrasIdentity } from './extras.ts';
import type { SkillRuntime } from './runtime.ts';

/** Identifies everything that decides how a skill runs: SHA-256, hexadecimal. */
export function fingerprint(
  runtime: Pick<SkillRuntime, 'name' | 'policyVersion'>,
  manifest: Manifest,
  config: Record<string, unknown>,
  parts: Extras & { host: Bundle; handler: Bundle },
): string {
  const { examples: _examples, description: _description, warm: _warm, ...effective } = manifest;
  const spec = {
    runtime: runtime.name,
    policyVersion: runtime.policyVersion,
    node: process.version,
    host: parts.host.hash,
    handler: parts.handler.hash,
    extras: extrasIdentity(parts),
    manifest: effective,
    config,
  };
  return createHash('sha256').update(canonical(spec)).digest('hex');
}

/** JSON with sorted keys: the same value always gives the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
