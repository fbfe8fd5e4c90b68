/**
 * Tries, from inside, what the isolation level promises to prevent. An unexpected success refuses the start: a sandbox that
 * is silently absent is worse than none.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { LaunchConfig } from './launch-config.ts';

/** @throws Error that lists every promise that does not hold. */
export async function selfTest({
  isolation,
  handler,
  tcp,
  models = {},
}: Pick<LaunchConfig, 'isolation' | 'handler' | 'tcp' | 'models'>): Promise<void> {
  const broken: string[] = [];
  const expectFailure = (what: string, attempt: () => void) => {
    try {
      attempt();
      broken.push(what);
    } catch {
      // What the isolation promises.
    }
  };

  for (const [role, path] of Object.entries(models)) {
    expectFailure(`the ${role} model can be written`, () => closeSync(openSync(path, 'r+')));
  }
  expectFailure('its own code can be overwritten', () => writeFileSync(handler, '', { flag: 'a' }));
  if (isolation === 'process') {
    expectFailure('files outside its folders can be written', () => writeAndRemove('/tmp/.phoenix-self-test'));
  } else {
    expectFailure('the root file system is writable', () => writeAndRemove('/.phoenix-self-test'));
    expectFailure('kernel settings are writable', () => closeSync(openSync('/proc/sys/kernel/core_pattern', 'r+')));
    broken.push(...privileges(), ...visibleProcesses());
    // One that listens on a port has the network of that port.
    if (!tcp && (await canReachNetwork())) broken.push('a network is reachable');
  }

  if (broken.length > 0) {
    throw new Error(`the ${isolation} isolation does not hold: ${broken.join('; ')}. The skill refuses to start.`);
  }
}

function writeAndRemove(path: string): void {
  writeFileSync(path, '');
  rmSync(path, { force: true });
}

/** Capabilities and no-new-privileges as the kernel sees them, proc_pid_status(5). */
function privileges(): string[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  const broken: string[] = [];
  for (const name of ['CapEff', 'CapPrm', 'CapInh', 'CapBnd']) {
    if (!/^0+$/.test(field(name))) broken.push(`it has capabilities (${name} ${field(name)})`);
  }
  if (field('NoNewPrivs') !== '1') broken.push('it can gain privileges (no_new_privs is not set)');
  if (field('Uid') === '0') broken.push('it runs as root');
  return broken;
}

/**
 * Its own process and the init of its process namespace are all that a skill may see, and what an engine starts inside for a health
 * check: that has no parent here, which on a machine only the first process and the kernel's own have not.
 */
function visibleProcesses(): string[] {
  const others = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && name !== '1' && name !== `${process.pid}` && hasParent(name),
  );
  return others.length > 0 ? [`it sees ${others.length} other processes`] : [];
}

function hasParent(pid: string): boolean {
  try {
    return !/^PPid:\s*0$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    // Unless it has ended meanwhile, one that hides what it is is a stranger.
    return !['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

/** Connecting a datagram socket looks up a route and sends nothing (192.0.2.0/24 is reserved for documentation). */
async function canReachNetwork(): Promise<boolean> {
  if (Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal))) return true;
  const socket = createSocket('udp4');
  try {
    socket.connect(9, '192.0.2.1');
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
