/** Launches to compare with: the one of the document that Phoenix follows, and one that does nothing. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { SkillServiceClient } from '../src/contract/index.ts';
import { Engine, engineSocket } from '../src/runtimes/index.ts';

const PAUSE_MS = 2000;
const NOBODY = 65_534;

/** The engine's command line, then a fixed pause of two seconds. @returns milliseconds from the command to the first answer */
export async function launchAsTheSource(image: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-bench-'));
  const [launch, sockets, name] = [
    join(folder, 'launch.json'),
    join(folder, 'sockets'),
    `phoenix-bench-${process.pid}`,
  ];
  mkdirSync(sockets);
  writeFileSync(launch, JSON.stringify(LAUNCH), { mode: 0o400 });
  for (const path of [launch, sockets]) chownSync(path, NOBODY, NOBODY);
  const hardening = ['--network=none', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--init'];
  const mounts = ['-v', `${launch}:/app/launch.json:ro`, '-v', `${sockets}:/run/skill`];
  try {
    const started = performance.now();
    execFileSync('docker', ['run', '-d', '--no-healthcheck', '--name', name, ...hardening, ...mounts, image], {
      stdio: 'ignore',
    });
    await sleep(PAUSE_MS);
    const client = new SkillServiceClient(`unix:${join(sockets, 'skill.sock')}`, credentials.createInsecure());
    await new Promise<void>((resolve, reject) =>
      client.infer({ ...NO_REQUEST, prompt: 'hello' }, (error) => (error ? reject(error) : resolve())),
    );
    const took = performance.now() - started;
    client.close();
    return took;
  } finally {
    execFileSync('docker', ['rm', '-f', name], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an engine needs for itself: a container that does nothing, without any measure. @returns milliseconds until it has started */
export async function startEmptyContainer(image: string): Promise<number> {
  const engine = new Engine(engineSocket() ?? '');
  const body = { Image: image, Entrypoint: ['/app/node', '-e', ''], HostConfig: { NetworkMode: 'none' } };
  const started = performance.now();
  const { Id } = await engine.json<{ Id: string }>('POST', '/containers/create', body);
  try {
    await engine.json('POST', `/containers/${Id}/start`);
    return performance.now() - started;
  } finally {
    await engine.json('DELETE', `/containers/${Id}?force=1`);
  }
}

const LAUNCH = {
  ...{ format: 1, skill: 'bench-echo', version: '1.0.0', fingerprint: '', instanceId: 'bench', ownerToken: 'bench' },
  ...{
    isolation: 'container',
    socket: '/run/skill/skill.sock',
    handler: '/app/handler.mjs',
    tmpDir: '/tmp',
    config: {},
  },
  ...{ concurrency: 4, queue: 4, requestBytes: 65_536, requestTimeoutMs: 1000, drainTimeoutMs: 100, leaseMs: 0 },
};
const NO_REQUEST = { maxTokens: 0, temperature: 0, stop: [], topP: 0, context: {}, sql: undefined };
