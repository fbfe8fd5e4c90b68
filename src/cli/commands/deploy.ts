import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { skillFolders } from '../../assistant/index.ts';
import {
  type Deployed,
  deploy,
  deploymentStatus,
  describeState,
  isUp,
  type ServiceState,
  takeDown,
} from '../../deploy/index.ts';
import { readCatalog } from '../../manifest/index.ts';
import { lockStateDir } from '../../state-lock/index.ts';
import { CliError } from '../errors.ts';
import { toTable } from '../table.ts';
import { configOf } from '../with-operations.ts';

interface Options {
  down?: boolean;
  volumes?: boolean;
  status?: boolean;
  dryRun?: boolean;
  json?: boolean;
  file?: string;
  timeout: number;
}

/** `phoenix deploy` */
export function deployCommand(): Command {
  return new Command('deploy')
    .description('Run the assistant and its skills as containers that docker compose keeps running.')
    .option('--down', 'stop and remove the deployment; its volumes stay')
    .option('--volumes', 'with --down: remove the volumes, too, and with them everything that was remembered')
    .option('--status', 'what runs; exit code 1 unless all of it is healthy')
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--json', 'with --status: print JSON')
    .option('--file <file>', 'a compose file to use instead of the generated one')
    .option('--timeout <seconds>', 'how long everything may take to become healthy', parseSeconds, 120)
    .action(async (options: Options, command: Command) => {
      if (options.volumes && !options.down) throw new CliError('--volumes goes with --down');
      if (options.status) return await showStatus(options.json === true);
      if (options.down) return await takeAllDown(options.volumes === true, command);
      await deployAll(options, command);
    });
}

async function deployAll({ dryRun = false, file, timeout }: Options, command: Command): Promise<void> {
  const config = configOf(command);
  using lock = await lockStateDir(join(config.state_dir, 'deploying'), 0);
  if (!lock) throw new CliError('another "phoenix deploy" is at work: wait until it is done');
  const { skills, broken } = readCatalog(skillFolders(config));
  for (const { error } of broken.values()) process.stderr.write(`a skill is left out: ${error.message}\n`);
  const usable = [...skills.values()].filter(({ name, models }) => {
    const off = models.find((role) => config.models[role] === 'none');
    if (off) process.stderr.write(`a skill is left out: ${name} reads the ${off} model, and models.${off} is "none"\n`);
    return off === undefined;
  });
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const deployed = await deploy({
    config,
    skills: usable,
    file,
    timeoutMs: timeout * 1000,
    dryRun,
    report: (line) => process.stderr.write(`${line}\n`),
    signal: interrupted.signal,
  });
  if (deployed) process.stdout.write(summary(deployed));
}

function summary({ url, services, leftOut, replaced }: Deployed): string {
  const lines = [
    replaced.length > 0 ? `deployed: ${replaced.join(', ')}` : 'deployed already: nothing was changed',
    ...[...leftOut].map(([name, why]) => `left out: ${name} (${why})`),
  ];
  return `${lines.join('\n')}\n${table(services)}${url === undefined ? '' : `\nTry: npx phoenix chat "My sister lives in Madrid"   (${url})\n`}`;
}

async function takeAllDown(withVolumes: boolean, command: Command): Promise<void> {
  const services = await takeDown(configOf(command).state_dir, withVolumes);
  const volumes = withVolumes ? 'volumes were removed' : 'volumes were kept';
  process.stdout.write(services.length > 0 ? `removed: ${services.join(', ')}; ${volumes}\n` : 'nothing is deployed\n');
}

async function showStatus(json: boolean): Promise<void> {
  const states = await deploymentStatus();
  if (json) process.stdout.write(`${JSON.stringify(states, undefined, 2)}\n`);
  else process.stdout.write(states.length > 0 ? table(states) : 'nothing is deployed\n');
  if (states.length === 0 || !states.every(isUp)) process.exitCode = 1;
}

function table(states: readonly ServiceState[]): string {
  const rows = states.map((state) => [
    state.service,
    describeState(state),
    state.image,
    Object.values(state.ports).join(', ') || '-',
    state.startedAt.replace(/\..*/, 'Z'),
  ]);
  return toTable(['SERVICE', 'STATE', 'IMAGE', 'ADDRESS', 'STARTED'], rows);
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError(`"${text}" is no number of seconds`);
  return value;
}
