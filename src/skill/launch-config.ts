/** What the launcher tells the skill host: a JSON file, version 1. Written by the runtimes, read here. */
import { readFileSync } from 'node:fs';

export type IsolationLevel = 'container' | 'sandbox' | 'process';

export interface LaunchConfig {
  format: 1;
  skill: string;
  version: string;
  /** Hash of the launch specification, echoed to whoever connects. */
  fingerprint: string;
  instanceId: string;
  /** Proves ownership of this launch; a session that shows it may use grants. */
  ownerToken: string;
  isolation: IsolationLevel;
  /** Path of the unix socket to listen on. */
  socket: string;
  /** Listens on this port, too: for clients that cannot reach the socket, with mutual TLS. */
  tcp?: TcpListener;
  /** Path of the bundled handler. */
  handler: string;
  dataDir: string | undefined;
  /** Paths of the models that it may read, by their role. */
  models?: Record<string, string>;
  tmpDir: string;
  config: Record<string, unknown>;
  /** Paths of the folders of the machine that it may read, by their names. */
  mounts?: Record<string, string>;
  /** Ends after its first call. */
  singleUse?: boolean;
  concurrency: number;
  queue: number;
  requestBytes: number;
  /** Default deadline of a call that brings none. */
  requestTimeoutMs: number;
  drainTimeoutMs: number;
  /** A drafting stream whose client is silent for this long is ended. */
  streamIdleMs: number;
  /** Stops by itself when no owner has been connected for this long; 0: never. */
  leaseMs: number;
}

/** Certificates and key in PEM. */
export interface TcpListener {
  port: number;
  certificate: string;
  key: string;
  /** The only certificate that a client may show. */
  clientCertificate: string;
}

/** Reads the file that the launcher wrote. @throws Error when it is not a version 1 launch configuration. */
export function readLaunchConfig(path: string): LaunchConfig {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof parsed !== 'object' || parsed === null || (parsed as { format?: unknown }).format !== 1) {
    throw new Error(`${path} is not a launch configuration of format 1; was it written by another version of Phoenix?`);
  }
  return parsed as LaunchConfig;
}
