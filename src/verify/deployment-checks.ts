/** Patch #2 and the line "Health": the deployment by compose. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  deploy,
  deploymentStatus,
  describeState,
  findCompose,
  isUp,
  type ServiceState,
  takeDown,
} from '../deploy/index.ts';
import { readCatalog } from '../manifest/index.ts';
import { type Check, fail, impossible, type Outcome, pass, type VerifyContext } from './check.ts';

const COMPOSE_FILE = 'docker-compose.sentience.yml';
const DEPLOY_TIMEOUT_MS = 180_000;

export const composeCheck: Check = {
  id: 'patch-2',
  line: `Patch #2: docker-compose -f ${COMPOSE_FILE} config (without errors)`,
  async run({ home }) {
    const compose = findCompose();
    if (!compose) return impossible('neither "docker compose" nor "docker-compose" is installed');
    const [program = '', ...args] = compose.command;
    const child = spawn(program, [...args, '-f', join(home, COMPOSE_FILE), 'config', '-q'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said += data;
    });
    const [code] = (await once(child, 'close')) as [number];
    return code === 0 ? pass(`${compose.command.join(' ')} ${compose.version} finds no error`) : fail(said.trim());
  },
};

export const healthCheck: Check = {
  id: 'health',
  line: 'Health: docker ps | grep saraiskill -> all "healthy"',
  async run(context) {
    let states: ServiceState[];
    try {
      states = await deploymentStatus();
    } catch (error) {
      return impossible((error as Error).message);
    }
    if (states.length > 0) return judge(states);
    if (!context.deploy) return impossible('nothing is deployed: run "phoenix deploy" before, or say --deploy');
    if (!findCompose()) return impossible('neither "docker compose" nor "docker-compose" is installed');
    return await deployAndJudge(context);
  },
};

function judge(states: readonly ServiceState[]): Outcome {
  const skills = states.filter(({ containerName }) => containerName.startsWith('saraiskill.'));
  const seen = skills.map((state) => `${state.containerName} ${describeState(state)}`).join(', ');
  if (skills.length === 0)
    return fail(`no container is called saraiskill: ${states.map((each) => each.containerName).join(', ')}`);
  return skills.every((state) => isUp(state) && state.health === 'healthy') ? pass(seen) : fail(seen);
}

/** Deploys into a folder of its own, on a free port. */
async function deployAndJudge({ config, folder, home, signal, onStep }: VerifyContext): Promise<Outcome> {
  const stateDir = join(folder, 'deployment');
  const own = { ...config, state_dir: stateDir, server: { ...config.server, port: await freePort() } };
  const { skills } = readCatalog([join(home, 'skills')]);
  try {
    await deploy({
      config: own,
      skills: [...skills.values()].filter(({ models }) => models.every((role) => config.models[role] !== 'none')),
      file: undefined,
      timeoutMs: DEPLOY_TIMEOUT_MS,
      dryRun: false,
      report: (line) => onStep(`deploying: ${line.trim()}`),
      signal,
    });
    return judge(await deploymentStatus());
  } catch (error) {
    return fail((error as Error).message);
  } finally {
    onStep('taking the deployment down');
    await takeDown(stateDir, true);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
