import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Elsewhere, type Instance, type Probe, RuntimeError, type SkillRuntime } from '../runtime.ts';
import { ExternalInstance } from './external-instance.ts';
import { readSkillRecord, type SkillRecord } from './record.ts';

/** How often a socket is tried that does not accept yet, in milliseconds. */
const RETRY_MS = 50;

const NOT_IN_RECORD =
  'it is not part of this deployment, and the assistant starts no skills itself here: run "phoenix deploy" again';

/** Uses skills that somebody else starts and stops, `docker compose` for example: they are only connected to. */
export class ExternalRuntime implements SkillRuntime {
  readonly name = 'external';
  readonly isolation = 'container';
  readonly policyVersion = 1;
  readonly elsewhere: Elsewhere;
  readonly #recordPath: string;

  constructor(recordPath: string) {
    this.#recordPath = recordPath;
    this.elsewhere = {
      hint: (skill) => {
        const { manager, skills } = readSkillRecord(recordPath);
        const container = skills[skill]?.container;
        if (container === undefined) return NOT_IN_RECORD;
        return `${manager} starts and stops it, as ${container}: for example "docker restart ${container}", "docker logs ${container}"`;
      },
      attach: (skill, signal) => this.#attach(skill, signal),
    };
  }

  probe(): Promise<Probe> {
    try {
      const { manager, skills } = readSkillRecord(this.#recordPath);
      const names = Object.keys(skills).join(', ') || 'none';
      return Promise.resolve({ available: true, detail: `${manager} starts and stops the skills: ${names}` });
    } catch (error) {
      return Promise.resolve({ available: false, detail: (error as Error).message });
    }
  }

  launch(): Promise<Instance> {
    return Promise.reject(new RuntimeError('skills of the external runtime are started by somebody else'));
  }

  async find(skill: string): Promise<Instance | undefined> {
    const entry = readSkillRecord(this.#recordPath).skills[skill];
    const line = entry && (await connectTo(entry.socket));
    return line && new ExternalInstance(skill, entry, line);
  }

  logs(skill: string): Promise<string[]> {
    return Promise.reject(new RuntimeError(`skill ${skill}: ${this.elsewhere.hint(skill)}`));
  }

  #entry(skill: string): SkillRecord['skills'][string] {
    const entry = readSkillRecord(this.#recordPath).skills[skill];
    if (!entry) throw new RuntimeError(`skill ${skill}: ${NOT_IN_RECORD}`);
    return entry;
  }

  async #attach(skill: string, signal: AbortSignal): Promise<Instance> {
    while (true) {
      signal.throwIfAborted();
      // Read each time: what comes back may have been replaced meanwhile.
      const entry = this.#entry(skill);
      const line = await connectTo(entry.socket);
      if (line) return new ExternalInstance(skill, entry, line);
      await sleep(RETRY_MS);
    }
  }
}

function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
