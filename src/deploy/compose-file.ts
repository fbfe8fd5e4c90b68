import { stringify } from 'yaml';
import type { Manifest } from '../manifest/index.ts';
import type { ModelRole } from '../models/index.ts';
import {
  ASSISTANT_CONFIG_DIR,
  ASSISTANT_PORT,
  assistantImageName,
  DATA_DIR,
  LAUNCH_PATH,
  modelPath,
  SOCKET_DIR,
  skillImageName,
} from '../runtimes/index.ts';

const MIB = 1024 ** 2;
/** Relative weight of one processor: the kernel's default, cgroups(7). */
const SHARES_PER_CPU = 1024;
export const ASSISTANT_SERVICE = 'sarai';
/** What watches; each has a folder of that name in deploy/, which is mounted. */
export const MONITORING_SERVICES = ['prometheus', 'grafana'] as const;
export const MONITORING_PROFILE = 'monitoring';
const PROMETHEUS_IMAGE = 'prom/prometheus:v3.13.1';
const GRAFANA_IMAGE = 'grafana/grafana:13.2.0';

const DEPLOY_DIR = variable('SARAI_DEPLOY_DIR', './state/deploy');
const HOME = variable('SARAI_HOME', '.');
const UID = variable('SARAI_UID', '65534');
/** The pair that comes with Phoenix. */
const NANO: Record<ModelRole, string> = {
  target: './models/nano/nano-target-q8_0.gguf',
  draft: './models/nano/nano-draft-q8_0.gguf',
};
/** Only the two sides of a skill's socket may enter its folder. */
const SOCKET_VOLUME_OPTIONS = `size=64k,mode=0700,uid=${UID},gid=${variable('SARAI_GID', '65534')}`;

const HEADER = ` The deployment: the assistant and every skill as containers, beside Prometheus and Grafana.

 Generated from the manifests of the skills: change those, then run "npm run generate". "phoenix deploy" builds the images, writes
 what is mounted here (state/deploy), starts everything and waits until it is healthy. By hand, after a deployment:

   docker-compose -p sarai --env-file state/deploy/env -f docker-compose.sentience.yml ps

 Limits stand on the services themselves (mem_limit, cpus, ...), where docker-compose v1 and Compose v2 both apply them; v1 ignores
 deploy.resources. A reservation of memory is the engine's soft limit, one of processors a relative weight (cpu_shares): half of the
 limit. Skills have no network; what they and the assistant share is a folder in memory with one socket. Nobody has the engine's socket.`;

export function skillService(name: string): string {
  return `skill-${name}`;
}

/** Name of the variable that makes compose replace a service whose mounted configuration changed. */
export function specVariable(service: string): string {
  return `${service.toUpperCase().replaceAll('-', '_')}_SPEC`;
}

/** Name of the variable with the path of a model. */
export function modelVariable(role: ModelRole): string {
  return `SARAI_MODEL_${role.toUpperCase()}`;
}

/** Path of a skill's socket as the assistant sees it. */
export function assistantSocketPath(name: string): string {
  return `${assistantSocketDir(name)}/skill.sock`;
}

function assistantSocketDir(name: string): string {
  return `/run/skills/${name}`;
}

/**
 * The compose file for these skills. Understood by docker-compose v1 (1.29) and by Compose v2
 * (https://github.com/compose-spec/compose-spec/blob/main/spec.md); the same skills always give the same text.
 */
export function composeFile(version: string, skills: readonly Manifest[]): string {
  const sorted = skills.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const services = {
    [ASSISTANT_SERVICE]: assistant(version, sorted),
    ...Object.fromEntries(sorted.map((manifest) => [skillService(manifest.name), skill(manifest)])),
    ...monitoring(),
  };
  const volumes = {
    sarai_data: {},
    ...Object.fromEntries(
      sorted.flatMap(({ name, volumes: own }) => [
        ...(own.includes('data') ? [[dataVolume(name), {}]] : []),
        [socketVolume(name), { driver_opts: { type: 'tmpfs', device: 'tmpfs', o: SOCKET_VOLUME_OPTIONS } }],
      ]),
    ),
    prometheus_data: {},
    grafana_data: {},
  };
  const networks = { sarai_net: { driver: 'bridge' } };
  const comment = HEADER.split('\n')
    .map((line) => `#${line}`)
    .join('\n');
  return `${comment}\n${stringify({ services, networks, volumes }, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function dataVolume(name: string): string {
  return `skill_${name.replaceAll('-', '_')}_data`;
}

function socketVolume(name: string): string {
  return `skill_${name.replaceAll('-', '_')}_socket`;
}

function assistant(version: string, skills: readonly Manifest[]): object {
  return {
    image: assistantImageName(version),
    container_name: 'sarai-sentience',
    labels: labels(ASSISTANT_SERVICE),
    ...hardening(64 * MIB),
    depends_on: Object.fromEntries(skills.map(({ name }) => [skillService(name), { condition: 'service_healthy' }])),
    networks: ['sarai_net'],
    ports: [`127.0.0.1:${variable('SARAI_PORT', '8080')}:${ASSISTANT_PORT}`],
    volumes: [
      bind(`${DEPLOY_DIR}/sarai`, ASSISTANT_CONFIG_DIR),
      volume('sarai_data', DATA_DIR),
      ...skills.map(({ name }) => volume(socketVolume(name), assistantSocketDir(name))),
    ],
    ...limits({ memory: 1024 * MIB, cpus: 2, pids: 128 }),
    // What is asked is in the image.
    healthcheck: healthcheck({ interval: 5000, timeout: 3000 }, '30s'),
    stop_grace_period: '15s',
  };
}

function skill(manifest: Manifest): object {
  const { name, resources, volumes, models, health, timeouts } = manifest;
  return {
    image: skillImageName({ manifest }),
    container_name: `saraiskill.${name}`,
    hostname: skillService(name),
    labels: labels(skillService(name)),
    ...hardening(resources.tmp),
    ipc: 'none',
    network_mode: 'none',
    volumes: [
      bind(`${DEPLOY_DIR}/skills/${name}/launch.json`, LAUNCH_PATH),
      ...models.map((role) => bind(variable(modelVariable(role), NANO[role]), modelPath(role))),
      ...(volumes.includes('data') ? [volume(dataVolume(name), DATA_DIR)] : []),
      volume(socketVolume(name), SOCKET_DIR),
    ],
    ...limits(resources),
    healthcheck: healthcheck(health, '5s'),
    stop_grace_period: `${Math.ceil(timeouts.drain / 1000) + 1}s`,
  };
}

function monitoring(): Record<(typeof MONITORING_SERVICES)[number], object> {
  const common = { profiles: [MONITORING_PROFILE], ...hardening(64 * MIB), networks: ['sarai_net'] };
  return {
    prometheus: {
      image: PROMETHEUS_IMAGE,
      labels: labels('prometheus'),
      ...common,
      // The group owns the data folder of the image.
      user: `${UID}:65534`,
      command: [
        '--config.file=/etc/prometheus/prometheus.yml',
        '--storage.tsdb.path=/prometheus',
        '--storage.tsdb.retention.time=15d',
        '--enable-feature=exemplar-storage',
      ],
      depends_on: { [ASSISTANT_SERVICE]: { condition: 'service_healthy' } },
      ports: [`127.0.0.1:${variable('PROMETHEUS_PORT', '9090')}:9090`],
      volumes: [
        bind(`${HOME}/deploy/prometheus`, '/etc/prometheus'),
        bind(`${DEPLOY_DIR}/secrets/token`, '/run/secrets/sarai_token'),
        volume('prometheus_data', '/prometheus'),
      ],
      ...limits({ memory: 512 * MIB, cpus: 1, pids: 128 }),
      healthcheck: {
        test: ['CMD', 'promtool', 'check', 'healthy', '--url=http://127.0.0.1:9090'],
        ...healthcheck({ interval: 15_000, timeout: 5000 }, '30s'),
      },
    },
    grafana: {
      image: GRAFANA_IMAGE,
      labels: labels('grafana'),
      ...common,
      // The image supports any user of the group root.
      user: `${UID}:0`,
      environment: {
        GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana_password',
        GF_ANALYTICS_REPORTING_ENABLED: 'false',
        GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
        GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      },
      depends_on: { prometheus: { condition: 'service_started' } },
      ports: [`127.0.0.1:${variable('GRAFANA_PORT', '3000')}:3000`],
      volumes: [
        bind(`${HOME}/deploy/grafana/provisioning`, '/etc/grafana/provisioning'),
        bind(`${HOME}/deploy/grafana/dashboards`, '/etc/grafana/dashboards'),
        bind(`${DEPLOY_DIR}/secrets/grafana-password`, '/run/secrets/grafana_password'),
        volume('grafana_data', '/var/lib/grafana'),
      ],
      ...limits({ memory: 512 * MIB, cpus: 1, pids: 128 }),
      healthcheck: {
        test: ['CMD', 'wget', '-q', '--spider', 'http://127.0.0.1:3000/api/health'],
        ...healthcheck({ interval: 15_000, timeout: 5000 }, '60s'),
      },
    },
  };
}

function labels(service: string): Record<string, string> {
  return {
    'sarai.deployment': DEPLOY_DIR,
    'sarai.spec': variable(specVariable(service), ''),
  };
}

function hardening(tmpBytes: number): object {
  return {
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    tmpfs: [`/tmp:rw,noexec,nosuid,nodev,size=${bytes(tmpBytes)},mode=1777`],
    init: true,
    ulimits: { core: 0 },
    restart: 'unless-stopped',
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '2' } },
  };
}

function limits({ memory, cpus, pids }: Pick<Manifest['resources'], 'memory' | 'cpus' | 'pids'>): object {
  return {
    mem_limit: bytes(memory),
    // Memory and swap together: no swap.
    memswap_limit: bytes(memory),
    mem_reservation: bytes(memory / 2),
    cpus,
    cpu_shares: Math.max(2, Math.round((cpus / 2) * SHARES_PER_CPU)),
    pids_limit: pids,
  };
}

function healthcheck({ interval, timeout }: Manifest['health'], startPeriod: string): object {
  return {
    interval: variable('SARAI_HEALTH_INTERVAL', duration(interval)),
    timeout: duration(timeout),
    retries: 3,
    start_period: startPeriod,
  };
}

/** What compose replaces by the value of a variable. */
function variable(name: string, fallback: string): string {
  return `\${${name}:-${fallback}}`;
}

function bytes(value: number): string {
  return value % MIB === 0 ? `${value / MIB}m` : `${Math.floor(value)}b`;
}

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function bind(source: string, target: string): object {
  return { type: 'bind', source, target, read_only: true };
}

function volume(source: string, target: string): object {
  return { type: 'volume', source, target };
}
