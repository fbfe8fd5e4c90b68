/**
 * Loaded into the assistant before anything else. It tells when its main thread got no processor, and its wall clock jumps when SIGUSR2 comes, by the milliseconds in the file that CHAOS_CLOCK
 * names. The monotonic clock goes on, as it does when somebody sets the time of a machine.
 */
import { readFileSync } from 'node:fs';

const { CHAOS_CLOCK = '' } = process.env;
const RealDate = Date;
let offset = 0;

function read(): void {
  try {
    offset = Number(readFileSync(CHAOS_CLOCK, 'utf8'));
  } catch {
    // No file, or none to be had: the clock stays.
  }
}

read();
process.on('SIGUSR2', read);
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: [], newTarget) =>
    args.length > 0
      ? Reflect.construct(target, args, newTarget)
      : Reflect.construct(target, [RealDate.now() + offset], newTarget),
  get: (target, key) => (key === 'now' ? () => RealDate.now() + offset : Reflect.get(target, key)),
  apply: () => new RealDate(RealDate.now() + offset).toString(),
});

const TICK_MS = 10;
const NOTEWORTHY_MS = 3;
const now = () => performance.timeOrigin + performance.now();
let due = now() + TICK_MS;
let used = process.threadCpuUsage();
setInterval(() => {
  const at = now();
  const { user, system } = process.threadCpuUsage(used);
  const lost = at - due - (user + system) / 1000;
  if (lost > NOTEWORTHY_MS) process.send?.({ from: at - lost, to: at });
  due = at + TICK_MS;
  used = process.threadCpuUsage();
}, TICK_MS).unref();
process.channel?.unref();
