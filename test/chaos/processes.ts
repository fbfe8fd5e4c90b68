import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Processes and all that they started, parents first. */
export function withDescendants(roots: readonly number[]): number[] {
  const found = [...roots];
  for (let at = 0; at < found.length; at++) {
    try {
      const children = readFileSync(`/proc/${found[at]}/task/${found[at]}/children`, 'utf8');
      found.push(...children.split(' ').filter(Boolean).map(Number));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Every process that belongs to a folder: it was started in it, writes to it or is told of it. Not this one. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      const isZombie = /^State:\s+[ZX]/m.test(read(() => readFileSync(`/proc/${pid}/status`, 'utf8')));
      const signs = [
        ...['cwd', 'fd/1', 'fd/2'].map((name) => read(() => readlinkSync(`/proc/${pid}/${name}`))),
        read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
      ];
      return !isZombie && signs.some((sign) => sign.includes(folder));
    });
}

/** What a process has open: sockets, and everything. */
export function openFiles(pid: number): { sockets: number; files: number } {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => read(() => readlinkSync(`/proc/${pid}/fd/${fd}`)));
    return { sockets: links.filter((link) => link.startsWith('socket:')).length, files: links.length };
  } catch {
    return { sockets: 0, files: 0 };
  }
}

/** What it was started with, to be named in a message. */
export function commandOf(pid: number): string {
  return read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    .replaceAll('\0', ' ')
    .slice(0, 120);
}

function read(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}
