import { randomBytes, randomUUID } from 'node:crypto';
import type { IsolationLevel, LaunchConfig } from '../skill/index.ts';
import type { LaunchSpec } from './runtime.ts';

/** The paths that a skill itself sees. */
export type InsidePaths = Pick<LaunchConfig, 'socket' | 'handler' | 'dataDir' | 'tmpDir' | 'tcp' | 'models' | 'mounts'>;

/** What the skill host is told, with an identity and a token that are new for every launch. */
export function launchConfig(spec: LaunchSpec, isolation: IsolationLevel, inside: InsidePaths): LaunchConfig {
  const { manifest } = spec;
  return {
    format: 1,
    skill: manifest.name,
    version: manifest.version,
    fingerprint: spec.fingerprint,
    instanceId: randomUUID(),
    ownerToken: randomBytes(32).toString('base64url'),
    isolation,
    singleUse: manifest.single_use,
    config: spec.config,
    concurrency: manifest.limits.concurrency,
    queue: manifest.limits.queue,
    requestBytes: manifest.limits.request_bytes,
    requestTimeoutMs: manifest.timeouts.request,
    drainTimeoutMs: manifest.timeouts.drain,
    streamIdleMs: manifest.timeouts.stream_idle,
    leaseMs: spec.leaseMs,
    ...inside,
  };
}
