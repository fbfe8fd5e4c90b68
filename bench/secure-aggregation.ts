/** What a round with secure aggregation takes, beside one in which the coordinator sees every update: both with its files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { federation } from '../src/contract/index.ts';
import { Coordinator, type RoundSettings } from '../src/federated/coordinator.ts';
import { Membership, toLattice } from '../src/federated/index.ts';
import { encodeUpdate } from '../src/federated/protocol.ts';
import { Participant, STAGE, thresholdOf } from '../src/federated/secure/index.ts';
import { createSigningKeys } from '../src/federated/signed-model.ts';
import { createFederation, type Federation } from '../test/support/secure-round.ts';
import type { Figures } from './measure.ts';

/** Of clients that were dealt shares, as many are gone as may be. */
const goneOf = (clients: number) => clients - thresholdOf(clients);
const STAGE_MS = 1000;

interface Cost {
  clientMs: number;
  coordinatorMs: number;
  sent: number;
  received: number;
}

export async function benchSecureAggregation(dimension: number, clients: number, figures: Figures): Promise<void> {
  const everybody = await createFederation(clients);
  const gone = goneOf(clients);
  const central = await withCoordinator(everybody, dimension, 'full', inClear);
  const secure = await withCoordinator(everybody, dimension, 'secure', (...args) => masked(...args, 0));
  const without = await withCoordinator(everybody, dimension, 'secure', (...args) => masked(...args, gone));
  const of = `${clients} clients`;
  const add = (name: string, { clientMs, coordinatorMs, sent, received }: Cost) => {
    figures.add(`${name}: one client`, 'ms', clientMs);
    figures.add(`${name}: coordinator, with its files`, 'ms', coordinatorMs);
    figures.add(`${name}: sent by one client`, 'bytes', sent);
    figures.add(`${name}: received by one client`, 'bytes', received);
  };
  add(`a round in clear, ${of}`, central);
  add(`secure aggregation, ${of}`, secure);
  add(`secure aggregation, ${of}, ${gone} gone`, without);
  figures.add('secure aggregation / in clear: sent by one client', 'times', secure.sent / central.sent);
  figures.add('secure aggregation / in clear: coordinator', 'times', secure.coordinatorMs / central.coordinatorMs);
}

async function withCoordinator(
  everybody: Federation,
  dimension: number,
  mode: RoundSettings['mode'],
  round: (coordinator: Coordinator, everybody: Federation, dimension: number) => Promise<Cost>,
): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-bench-secure-'));
  try {
    const members = new Membership(folder);
    for (const { client: id } of everybody.identities) members.enrol(members.invite(1e9), { id, fingerprint: id });
    const coordinator = new Coordinator({
      ...{ folder, members, spec: { id: 'bench', dimension }, keys: createSigningKeys() },
      settings: {
        mode,
        rate: 1,
        noise: 8,
        clip: 1,
        population: everybody.identities.length,
        roundMs: 5 * STAGE_MS,
        pauseMs: 1e9,
      },
      policy: { epsilon: 100, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
      authority: everybody.authority,
    });
    await coordinator.tick(0);
    const cost = await round(coordinator, everybody, dimension);
    if (coordinator.version !== 1) throw new Error('the round was not released');
    return cost;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Adds up what each side takes. */
class Watch {
  client = 0;
  coordinator = 0;

  async of<T>(side: 'client' | 'coordinator', work: () => T | Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    this[side] += performance.now() - begun;
    return result;
  }
}

const updateOf = (dimension: number) => toLattice(new Float64Array(dimension).fill(1), 1);

async function inClear(coordinator: Coordinator, { identities }: Federation, dimension: number): Promise<Cost> {
  const watch = new Watch();
  let [sent, received] = [0, 0];
  for (const { client } of identities) {
    const task = await watch.of('coordinator', () => coordinator.taskOf(client, 1));
    if (!task) throw new Error('nothing is asked for');
    const { round, baseVersion, clip, remainingMs } = task;
    const numbers = { round: BigInt(round), baseVersion: BigInt(baseVersion) };
    received += federation.Task.encode({ ...numbers, clip, remainingMs }).finish().length;
    const update = await watch.of('client', () => encodeUpdate(updateOf(dimension)));
    sent += federation.SubmitRequest.encode({ protocol: 1, ...numbers, update }).finish().length;
    await watch.of('coordinator', () => coordinator.submit(client, { round, baseVersion, bytes: update }, 1));
  }
  await watch.of('coordinator', () => coordinator.tick(5 * STAGE_MS));
  return costOf(watch, sent, received, identities.length);
}

async function masked(
  coordinator: Coordinator,
  { identities, authority }: Federation,
  dimension: number,
  gone: number,
): Promise<Cost> {
  const watch = new Watch();
  const participants = new Map<string, Participant>();
  let [sent, received, now] = [0, 0, 1];
  for (let stage = 1; stage <= STAGE.unmask; stage++) {
    const staying = stage < STAGE.masked ? identities : identities.slice(gone);
    for (const identity of staying) {
      const { client } = identity;
      const task = await watch.of('coordinator', () => coordinator.secureTaskOf(client, now));
      // The last stage is over when there are enough shares.
      if (!task) continue;
      received += federation.SecureTask.encode(task).finish().length;
      const request = await watch.of('client', async () => {
        const { clip, noise, divisor } = task;
        const context = { round: 1, baseVersion: 0, clip, noise, divisor, dimension, model: 'bench' };
        const participant = participants.get(client) ?? new Participant({ context, identity, authority });
        participants.set(client, participant);
        return { protocol: 1, round: task.round, ...(await said(participant, task, dimension)) };
      });
      sent += federation.AggregateRequest.encode(request).finish().length;
      await watch.of('coordinator', () => coordinator.aggregate(client, request, now));
    }
    if (gone > 0 && stage === STAGE.masked) now += STAGE_MS;
    await watch.of('coordinator', () => coordinator.tick(now));
  }
  return costOf(watch, sent, received, identities.length);
}

async function said(participant: Participant, task: federation.SecureTask, dimension: number) {
  if (task.stage === STAGE.keys) return { keys: participant.advertise() };
  if (task.stage === STAGE.shares) return { deal: await participant.deal(task.roster) };
  if (task.stage === STAGE.masked) return { masked: participant.mask(task.sealed, updateOf(dimension)) };
  if (task.stage === STAGE.confirm) return { confirmation: participant.confirm(task.included) };
  return { unmasking: participant.unmask(task.confirmations) };
}

function costOf({ client, coordinator }: Watch, sent: number, received: number, clients: number): Cost {
  return {
    ...{ clientMs: client / clients, coordinatorMs: coordinator },
    ...{ sent: sent / clients, received: received / clients },
  };
}
