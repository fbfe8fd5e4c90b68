import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { builtInSkills } from '../../assistant/index.ts';
import {
  CLIENT_BUDGET,
  CLIENT_FORMATS,
  type ClientEvent,
  COORDINATOR_FORMATS,
  enrol,
  FederatedRouter,
  FederationClient,
  type FederationEvent,
  FederationServer,
  federatedFolders,
  invite,
  isEnrolled,
  MAX_CLIENTS,
  Membership,
  MIN_CLIENTS,
  readClient,
  removeEnrolment,
  routerSpec,
  type Spending,
  setPaused,
  spendingReader,
} from '../../federated/index.ts';
import { encodeModel } from '../../router/index.ts';
import { upgradeState } from '../../state-format/index.ts';
import { lockStateDir } from '../../state-lock/index.ts';
import { CliError } from '../errors.ts';
import { federationCosts } from '../federation-costs.ts';
import { milliseconds, number, whole } from '../options.ts';
import { toTable } from '../table.ts';
import { configOf, withOperations } from '../with-operations.ts';

interface ServeOptions {
  host: string;
  port: number;
  enrolmentPort: number;
  publicHost?: string;
  mode: 'poisson' | 'full';
  secureAggregation?: true;
  rate?: number;
  noise: number;
  clip: number;
  population: number;
  epsilon: number;
  delta?: number;
  roundTime: number;
  pause: number;
}

/** How long a poll waits for news, and after a failure until the next, in milliseconds. */
const POLL_MS = 30_000;
const RETRY_MS = 5000;
/** Feedback that is trained with, at most. */
const MAX_FEEDBACK = 5000;

/** `phoenix federate ...` */
export function federateCommand(): Command {
  const federate = new Command('federate').description(
    'Improve the router together with other installations; what people asked stays where it is.',
  );
  federate
    .command('serve')
    .description('Coordinate a federation: enrol clients, run rounds, publish models.')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port with mutual TLS; 0: a free one', whole, 8443)
    .option('--enrolment-port <n>', 'port for enrolment; 0: a free one', whole, 8444)
    .option('--public-host <name>', 'name or address that clients use; default: --host')
    .requiredOption(
      '--population <n>',
      'how many clients are reckoned with; sums are divided by it, and it is public',
      whole,
    )
    .addOption(
      new Option('--mode <mode>', 'poisson: some clients, drawn in secret | full: all of them')
        .choices(['poisson', 'full'])
        .default('full'),
    )
    .option(
      '--secure-aggregation',
      'see nothing but the sum of all updates, in which each client puts its share of the noise',
    )
    .option('--rate <q>', 'probability with which a client is drawn (poisson)', number)
    .option('--noise <sigma>', 'standard deviation of the noise, in clipping norms', number, 8)
    .option('--clip <norm>', 'clipping norm of an update', number, 10)
    .option('--epsilon <e>', 'budget: no round is released that would exceed it', number, 4)
    .option(
      '--delta <d>',
      'probability with which the bound may fail; default: 1e-5, or 1 / (10 population) where that is less',
      number,
    )
    .option('--round-time <duration>', 'how long clients may take', milliseconds, 300_000)
    .option('--pause <duration>', 'time between rounds', milliseconds, 7 * 86_400_000)
    .action(serve);
  federate
    .command('invite')
    .description('Make an invitation for one installation. It is secret, and holds once.')
    .option('--valid <duration>', 'how long it holds', milliseconds, 7 * 86_400_000)
    .action(async ({ valid }: { valid: number }, command: Command) => {
      process.stdout.write(`${await invite(foldersOf(command).coordinator, valid)}\n`);
    });
  federate
    .command('remove')
    .description('Take a client out of the federation.')
    .argument('<client>', 'as "phoenix federate status" shows it')
    .action((client: string, _options: object, command: Command) => {
      if (!new Membership(foldersOf(command).coordinator).remove(client))
        throw new CliError(`there is no client ${client}`);
      process.stdout.write(`removed: ${client}\n`);
    });
  federate
    .command('join')
    .description('Take part: use the models of the federation, and train them with the feedback of this installation.')
    .argument('[invitation]', 'the first time')
    .option('--once', 'look once for what is new, and stop')
    .option(
      '--epsilon <e>',
      'what rounds with secure aggregation may cost this installation',
      number,
      CLIENT_BUDGET.epsilon,
    )
    .option('--delta <d>', 'the probability that goes with it', number, CLIENT_BUDGET.delta)
    .action(join);
  federate.command('leave').description('Take part no longer, and use the router that was trained here.').action(leave);
  federate
    .command('pause')
    .description('Send nothing until "resume", and ask for nothing; a "join" that runs notices at once.')
    .action((_options: object, command: Command) => {
      setPaused(foldersOf(command).client, true);
      process.stdout.write('paused: nothing is sent\n');
    });
  federate
    .command('resume')
    .description('Take part again.')
    .action((_options: object, command: Command) => {
      setPaused(foldersOf(command).client, false);
      process.stdout.write('taking part again, where "phoenix federate join" runs\n');
    });
  federate
    .command('status')
    .description('What was released and spent, and which model is used here.')
    .option('--json', 'print JSON')
    .action(status);
  return federate;
}

function foldersOf(command: Command) {
  return federatedFolders(configOf(command).state_dir);
}

const note = (line: string) => process.stderr.write(`${line}\n`);

async function serve(options: ServeOptions, command: Command): Promise<void> {
  const { mode, rate, noise, clip, population, epsilon, delta = Math.min(1e-5, 1 / (10 * population)) } = options;
  if (mode === 'poisson' && !(rate !== undefined && rate > 0 && rate <= 1))
    throw new CliError('--mode poisson needs a --rate above 0, at most 1');
  if (options.secureAggregation && mode === 'poisson')
    throw new CliError(
      '--secure-aggregation: who takes part is known then, so that drawing in secret (poisson) helps nobody',
    );
  if (mode === 'full' && rate !== undefined) throw new CliError('--mode full asks everybody: it has no --rate');
  const positive = { '--noise': noise, '--clip': clip, '--population': population, '--epsilon': epsilon };
  for (const [name, value] of Object.entries(positive))
    if (!(value > 0)) throw new CliError(`${name} has to be above 0`);
  if (!(delta > 0 && delta < 1)) throw new CliError('--delta has to be above 0 and below 1');
  const { coordinator: folder } = foldersOf(command);
  using lock = await lockStateDir(folder, 0);
  if (!lock) throw new CliError(`${folder} is in use: a coordinator runs there already`);
  upgradeState(folder, COORDINATOR_FORMATS, note);
  process.stdout.write('reading the skills\n');
  const spec = await routerSpec(builtInSkills());
  await using server = await FederationServer.start({
    ...{ folder, spec, host: options.host, port: options.port, enrolmentPort: options.enrolmentPort },
    ...(options.publicHost !== undefined && { publicHost: options.publicHost }),
    settings: {
      mode: options.secureAggregation ? 'secure' : mode,
      ...{ rate: rate ?? 1, noise, clip, population, roundMs: options.roundTime, pauseMs: options.pause },
    },
    policy: { epsilon, delta, adjacency: 'add_remove', unit: 'client' },
    onEvent: (event) => process.stdout.write(`${described(event)}\n`),
  });
  process.stdout.write(
    `coordinating on ${options.host}:${server.port}: ${spec.dimension} parameters, ${server.coordinator.status().clients} clients\n`,
  );
  process.stdout.write(federationCosts({ mode, rate: rate ?? 1, noise, population, delta, epsilon }));
  if (options.secureAggregation)
    process.stdout.write(
      `Secure aggregation: a round needs ${MIN_CLIENTS} clients, takes up to ${MAX_CLIENTS}, and more than two thirds of them have to stay.\n`,
    );
  process.stdout.write('\nInvite somebody, in another terminal: npx phoenix federate invite\n');
  await untilStopped();
}

function described(event: FederationEvent): string {
  if (event.type === 'enrolled') return `enrolled: ${event.client}`;
  if (event.type === 'failed') return `failed: ${event.error.message}`;
  if (event.type === 'abandoned') return `round ${event.round}: nothing is released: ${event.reason}`;
  const { version, spending } = event.status;
  const spent = `epsilon ${shown(spending.epsilon)} of ${spending.budget} at delta ${spending.delta}`;
  return event.type === 'round'
    ? `released: model ${version}; ${spent}`
    : `no further round fits into the budget: ${spent}`;
}

async function join(
  invitation: string | undefined,
  { once = false, epsilon, delta }: { once?: boolean; epsilon: number; delta: number },
  command: Command,
): Promise<void> {
  if (!(epsilon > 0 && delta > 0 && delta < 1))
    throw new CliError('--epsilon has to be above 0, --delta between 0 and 1');
  const { client: folder } = foldersOf(command);
  using lock = await lockStateDir(folder, 0);
  if (!lock) throw new CliError(`${folder} is in use: this installation takes part already`);
  upgradeState(folder, CLIENT_FORMATS, note);
  if (invitation !== undefined) {
    if (isEnrolled(folder))
      throw new CliError('this installation belongs to a federation already: "phoenix federate leave" ends that');
    await enrol(folder, invitation);
    process.stdout.write('enrolled\n');
  } else if (!isEnrolled(folder))
    throw new CliError('this installation belongs to no federation: join with an invitation');
  const model = await openModel(command);
  using client = new FederationClient({
    folder,
    model,
    budget: { epsilon, delta },
    onEvent: (event) => process.stdout.write(`${describedHere(event)}\n`),
  });
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  if (once) {
    do await client.step(client.isBusy ? POLL_MS : 0, stopped.signal);
    while (client.isBusy && !stopped.signal.aborted);
    return;
  }
  process.stdout.write('taking part; stop with Ctrl-C\n');
  while (!stopped.signal.aborted) {
    try {
      await client.step(POLL_MS, stopped.signal);
    } catch (error) {
      if (stopped.signal.aborted) break;
      if ((error as Error).name !== 'FederationError') throw error;
      process.stderr.write(`${(error as Error).message}\n`);
      await sleep(RETRY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  }
}

/** The router of this installation, running or not. */
function openModel(command: Command): Promise<FederatedRouter> {
  return FederatedRouter.open(builtInSkills(), {
    examples: async () => {
      let examples: { text: string; skills: string[]; wrong?: string[]; weight: number }[] = [];
      await withOperations(command, async (operations) => {
        const records = await operations.listFeedback(MAX_FEEDBACK);
        examples = records.map(({ text, skills, wrong, weight }) => ({
          text,
          skills,
          weight,
          ...(wrong && { wrong }),
        }));
      });
      return examples;
    },
    use: async (weights) => {
      const encoded =
        weights &&
        encodeModel({
          weights,
          calibration: weights.skills.map(() => ({ slope: 1, offset: 0 })),
          fingerprint: 'federated',
        });
      await withOperations(command, (operations) => operations.useRouterWeights(encoded));
    },
  });
}

function describedHere(event: ClientEvent): string {
  if (event.type === 'submitted') return `round ${event.round}: sent an update`;
  if (event.type === 'masked') return `round ${event.round}: sent a masked update`;
  if (event.type === 'refused') return `round ${event.round}: the update was not taken: ${event.reason}`;
  const change = `loss here ${event.before.toFixed(4)} -> ${event.after.toFixed(4)}`;
  if (event.type === 'rejected') return `model ${event.version} does worse here and is not used: ${change}`;
  const { epsilon, delta } = event.privacy;
  return `model ${event.version} is used: ${change}; epsilon ${shown(epsilon ?? Number.POSITIVE_INFINITY)} at delta ${delta} for everybody in it`;
}

async function leave(_options: object, command: Command): Promise<void> {
  const { client: folder } = foldersOf(command);
  if (!isEnrolled(folder)) throw new CliError('this installation belongs to no federation');
  using lock = await lockStateDir(folder, 0);
  if (!lock) throw new CliError('it takes part right now: stop "phoenix federate join" first');
  await withOperations(command, (operations) => operations.useRouterWeights(undefined));
  removeEnrolment(folder);
  process.stdout.write('left: the router is the one that was trained here\n');
}

function status({ json }: { json?: boolean }, command: Command): void {
  const { coordinator, client } = foldersOf(command);
  const spending = existsSync(coordinator) ? spendingReader(coordinator)() : undefined;
  const clients = existsSync(coordinator) ? new Membership(coordinator).clients : [];
  const here = readClient(client);
  if (json) {
    const jsonOf = (of: Spending) => ({ ...of, epsilon: Number.isFinite(of.epsilon) ? of.epsilon : 'Infinity' });
    const shown = {
      coordinator: spending && { ...jsonOf(spending), clients },
      client: here && { ...here, spent: here.spent && jsonOf(here.spent) },
    };
    return void process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
  }
  if (!spending && !here) process.stdout.write('no federation here: see "phoenix federate --help"\n');
  if (spending) process.stdout.write(ofCoordinator(spending, clients));
  if (here)
    process.stdout.write(
      `client${here.isPaused ? ' (paused)' : ''}: model ${here.installed || 'of Phoenix itself'} is used, ${here.seen} is the newest, last round answered: ${here.answered || '-'}\n`,
    );
  if (here?.spent) {
    const { epsilon, budget, delta, rounds } = here.spent;
    process.stdout.write(
      `client: ${rounds} masked updates, epsilon ${shown(epsilon)} of ${budget} at delta ${delta}\n`,
    );
  }
}

function ofCoordinator(
  { epsilon, budget, delta, mode, rounds }: Spending,
  clients: readonly { id: string; enrolledAt: string }[],
): string {
  const spent = `coordinator: ${rounds} rounds (${mode}), epsilon ${shown(epsilon)} of ${budget} at delta ${delta}\n`;
  return (
    spent +
    (clients.length === 0
      ? 'no clients\n'
      : toTable(
          ['CLIENT', 'SINCE'],
          clients.map(({ id, enrolledAt }) => [id, enrolledAt]),
        ))
  );
}

function shown(epsilon: number): string {
  return Number.isFinite(epsilon) ? epsilon.toPrecision(4) : 'infinite';
}

function untilStopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  return promise;
}
