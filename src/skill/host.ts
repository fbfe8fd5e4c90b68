/**
 * The process of a skill: `node host.cjs LAUNCH.json`. Gives a handler its gRPC server, health, limits, drain and reload.
 */
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { health, reflection } from '../contract/index.ts';
import { CallMetrics } from './call-metrics.ts';
import { Dispatcher } from './dispatcher.ts';
import { DraftService } from './draft-service.ts';
import { SkillError, type SkillFactory, type SkillHandler, type SkillLog } from './handler.ts';
import { HealthService } from './health-service.ts';
import { type LaunchConfig, readLaunchConfig } from './launch-config.ts';
import { createLog } from './log.ts';
import { reflectionService } from './reflection-service.ts';
import { selfTest } from './self-test.ts';
import { skillService } from './service-definition.ts';
import { SessionService } from './session-service.ts';
import { createUnaryService } from './unary-service.ts';

/** How often the lease is looked at, in milliseconds. */
const LEASE_INTERVAL_MS = 1000;
/** How long connections may linger once the last call has ended, in milliseconds. */
const CLOSE_GRACE_MS = 250;

async function main(): Promise<void> {
  const [path] = process.argv.slice(2);
  if (!path) throw new Error('usage: node host.cjs LAUNCH.json');
  const config = readLaunchConfig(path);
  const log = createLog({ skill: config.skill, instance: config.instanceId });
  try {
    await new SkillHost(config, log).start();
  } catch (error) {
    log('error', `the skill could not start: ${(error as Error).message}`);
    process.exit(1);
  }
}

interface Services {
  dispatcher: Dispatcher;
  healthService: HealthService;
  sessions: SessionService;
  drafts: DraftService;
}

class SkillHost {
  readonly #config: LaunchConfig;
  readonly #log: SkillLog;
  readonly #server: Server;
  #handler: SkillHandler | undefined;
  #stopping = false;
  #loads = 0;

  constructor(config: LaunchConfig, log: SkillLog) {
    this.#config = config;
    this.#log = log;
    this.#server = new Server({
      'grpc.max_receive_message_length': config.requestBytes + 65_536,
      'grpc.max_send_message_length': -1,
    });
  }

  async start(): Promise<void> {
    const config = this.#config;
    const [handler] = await Promise.all([this.#load(), selfTest(config)]);
    this.#handler = handler;
    const metrics = new CallMetrics();
    // Once its answer is on its way.
    const onUsed = () => setImmediate(() => this.#stop(services, 'it has served its one call'));
    const dispatcher = new Dispatcher(handler, config, metrics, config.singleUse ? onUsed : undefined);
    const healthService = new HealthService(dispatcher);
    const sessions = new SessionService(dispatcher, config);
    const drafts = new DraftService(() => this.#handler ?? handler, config, metrics);
    this.#server.addService(skillService, {
      ...createUnaryService(dispatcher, config),
      session: sessions.handle,
      draft: drafts.handle,
    } as UntypedServiceImplementation);
    this.#server.addService(health.HealthService, { ...healthService.implementation });
    this.#server.addService(reflection.ServerReflectionService, { ...reflectionService });
    this.#server.addService(olderReflection(), { ...reflectionService });

    const services = { dispatcher, healthService, sessions, drafts };
    process.on('SIGTERM', () => void this.#stop(services, 'terminated'));
    // Node's permission model keeps SIGUSR1 to itself.
    for (const name of ['SIGUSR1', 'SIGHUP']) process.on(name, () => void this.#reload(services));
    if (config.leaseMs > 0) {
      setInterval(() => {
        const since = sessions.ownerlessSince;
        if (since !== undefined && performance.now() - since > config.leaseMs) {
          void this.#stop(services, `no owner for ${config.leaseMs} ms`);
        }
      }, LEASE_INTERVAL_MS).unref();
    }
    await this.#listen();
    this.#log('info', 'serving', { isolation: config.isolation, startMs: Math.round(performance.now()) });
  }

  async #listen(): Promise<void> {
    // A stale socket of an instance that was killed makes grpc-js refuse the address.
    rmSync(this.#config.socket, { force: true });
    await this.#bind(`unix:${this.#config.socket}`, ServerCredentials.createInsecure());
    const { tcp } = this.#config;
    if (!tcp) return;
    const [ca, private_key, cert_chain] = [tcp.clientCertificate, tcp.key, tcp.certificate].map((pem) =>
      Buffer.from(pem),
    );
    if (!ca || !private_key || !cert_chain) return;
    // All addresses of the container, which only the engine's proxy can reach.
    await this.#bind(`0.0.0.0:${tcp.port}`, ServerCredentials.createSsl(ca, [{ private_key, cert_chain }], true));
  }

  #bind(address: string, credentials: ServerCredentials): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error) => (error ? reject(error) : resolve()));
    });
  }

  async #load(): Promise<SkillHandler> {
    const { handler, skill, version, dataDir, models = {}, mounts = {}, tmpDir, config } = this.#config;
    const url = pathToFileURL(handler);
    // A module is cached by its address: a query makes a reload read the file again.
    if (this.#loads++ > 0) url.searchParams.set('load', `${this.#loads}`);
    const module = (await import(url.href)) as { default?: unknown };
    if (typeof module.default !== 'function') {
      throw new Error(`the entry of skill ${skill} must export default defineSkill(...)`);
    }
    return (module.default as SkillFactory)({
      name: skill,
      ...{ version, dataDir, models, mounts, tmpDir, config },
      log: this.#log,
    });
  }

  async #reload({ dispatcher, healthService, drafts }: Services): Promise<void> {
    const old = this.#handler;
    try {
      const handler = await this.#load();
      this.#handler = handler;
      drafts.endAll('the skill was reloaded; the next stream drafts with its new code');
      await dispatcher.replaceHandler(handler);
      await old?.close?.();
      healthService.notify();
      this.#log('info', 'reloaded');
    } catch (error) {
      this.#log('error', `the reload failed, the old code goes on: ${(error as Error).message}`);
    }
  }

  async #stop({ dispatcher, healthService, sessions, drafts }: Services, why: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#log('info', `stopping: ${why}`);
    const drained = dispatcher.drain();
    healthService.notify();
    sessions.announceDrain();
    drafts.stop();
    const late = setTimeout(() => {
      this.#log('warn', `calls still ran after ${this.#config.drainTimeoutMs} ms and were ended`);
      dispatcher.abortAll(new SkillError('UNAVAILABLE', 'the skill stopped before the call ended'));
    }, this.#config.drainTimeoutMs);
    await drained;
    clearTimeout(late);
    sessions.end();
    try {
      await this.#handler?.close?.();
    } catch (error) {
      this.#log('error', `closing the skill failed: ${(error as Error).message}`);
    }
    setTimeout(() => this.#server.forceShutdown(), CLOSE_GRACE_MS).unref();
    this.#server.tryShutdown(() => process.exit(0));
    setTimeout(() => process.exit(0), 2 * CLOSE_GRACE_MS);
  }
}

/** The same service under the name that older tools ask for. */
function olderReflection(): ServiceDefinition {
  const { serverReflectionInfo } = reflection.ServerReflectionService;
  return {
    serverReflectionInfo: {
      ...serverReflectionInfo,
      path: serverReflectionInfo.path.replace('.v1.', '.v1alpha.'),
    },
  };
}

await main();
