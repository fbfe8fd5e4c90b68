import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Effects, type Fault, type Heal, nothing, pick, signal } from './fault.ts';

const CHUNK = Buffer.alloc(1024 ** 2);
const PAGE_BYTES = 4096;

export const fullDisk: Fault = {
  kind: 'full-disk',
  what: 'the file system with the state of the assistant is full, to the last byte or nearly',
  missing: (system) => (system.isMounted ? undefined : 'the right to mount a tmpfs'),
  inject: (system, random) => {
    const path = join(system.folder, `filler-${Math.floor(random() * 1e9)}`);
    const file = openSync(path, 'w');
    try {
      for (let chunk: Buffer = CHUNK; chunk.length > 0; ) {
        try {
          if (writeSync(file, chunk) < chunk.length) throw new Error('full');
        } catch {
          chunk = chunk.subarray(0, Math.floor(chunk.length / 2));
        }
      }
      // Some changes still fit.
      if (random() < 0.5)
        ftruncateSync(file, Math.max(0, fstatSync(file).size - Math.floor(random() * 64) * PAGE_BYTES));
    } finally {
      closeSync(file);
    }
    return Promise.resolve(() => rmSync(path, { force: true }));
  },
};

/** How a file is divided: https://www.sqlite.org/fileformat2.html, sections 1.2 and 4.1. */
const LAYOUTS = {
  '': { head: 0, unit: PAGE_BYTES, content: 0 },
  '-wal': { head: 32, unit: 24 + PAGE_BYTES, content: 24 },
};

/** Overwrites whole pages of a database, or of its log, with noise. */
function damage(path: string, suffix: keyof typeof LAYOUTS, random: () => number): void {
  const { head, unit, content } = LAYOUTS[suffix];
  const pages = Math.floor(((statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0) - head) / unit);
  if (pages <= 0) return;
  const file = openSync(path + suffix, 'r+');
  try {
    for (let n = 1 + Math.floor(random() * 3); n > 0; n--) {
      const noise = Buffer.from(Array.from({ length: PAGE_BYTES }, () => Math.floor(random() * 256)));
      writeSync(file, noise, 0, PAGE_BYTES, head + Math.floor(random() * pages) * unit + content);
    }
  } finally {
    closeSync(file);
  }
}

const whichFile = (random: () => number) => pick(['', '', '-wal'] as const, random);

export const corruptSkill: Fault = {
  kind: 'corrupt-skill',
  what: 'pages of the database of the sql skill, or of its log, become noise while it runs',
  inject: async (system, random, effects) => {
    const folder = await system.skillData().catch(() => undefined);
    if (folder === undefined) return undefined;
    effects.rowsMayBeLost();
    damage(join(folder, 'main.db'), whichFile(random), random);
    // Nobody may have met the damage: whoever opens the file next looks for it.
    return async () => {
      for (const pid of await system.skillProcesses('sql').catch(() => [])) signal(pid, 'SIGKILL');
    };
  },
};

/** What both copies have comes back; what only the local one has when it is damaged does not, and is not asked for. */
async function damageLocal(
  effects: Effects,
  kill: () => Promise<void>,
  launch: () => Promise<void>,
  change: () => void,
): Promise<Heal> {
  await effects.quietly(async () => {
    await kill();
    effects.factsMayBeMissing();
    change();
    await launch();
  });
  return nothing;
}

export const corruptLocal: Fault = {
  kind: 'corrupt-local',
  isAlone: true,
  what: 'the assistant is killed, and pages of its memory file, or of its log, become noise',
  inject: (system, random, effects) =>
    damageLocal(
      effects,
      () => system.kill(),
      () => system.launch(),
      () => damage(join(system.stateDir, 'memory.db'), whichFile(random), random),
    ),
};

export const tornLog: Fault = {
  kind: 'torn-log',
  isAlone: true,
  what: 'the assistant is killed, and the end of the log of its memory file never reached the disk',
  inject: (system, random, effects) =>
    damageLocal(
      effects,
      () => system.kill(),
      () => system.launch(),
      () => {
        const path = join(system.stateDir, 'memory.db-wal');
        if (!existsSync(path)) return;
        const file = openSync(path, 'r+');
        ftruncateSync(file, Math.floor(fstatSync(file).size * random()));
        closeSync(file);
      },
    ),
};
