/** A skill that does what it is told to, at one level of isolation, and what it must not reach on the machine around it. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { SkillClient } from '../../src/pool/index.ts';
import { attempt, inside } from './inside.ts';
import type { Level, TestPool } from './level.ts';
import { createTestPool } from './pool.ts';
import { copiesOf } from './scoped-pool.ts';

/** In the environment of the assistant. */
export const SECRET = `secret-${randomUUID()}`;
export const SECRET_FOLDER = `/opt/${randomUUID()}`;
/** The name of what belongs to the assistant or to another skill. */
export const PRIVATE_NAME = `private-${randomUUID()}`;

export class Attack {
  readonly level: Level;
  /** The servers of this machine that somebody has connected to. */
  readonly connected: string[] = [];
  readonly #servers: Server[] = [];
  #begun: { test: TestPool; skill: SkillClient; dataFolder: string } | undefined;

  constructor(level: Level) {
    this.level = level;
  }

  /** Launches the skill, and another one with a file of its own. */
  async begin(): Promise<void> {
    using copies = copiesOf('echo', 'echo', 'other');
    const { PATH } = process.env;
    await this.level.start();
    const test = createTestPool(this.level.runtime, { catalog: copies.catalog });
    process.env.PHOENIX_TEST_SECRET = SECRET;
    process.env.PATH = `${PATH}:${SECRET_FOLDER}`;
    try {
      const skill = await test.pool.getSkillClient('echo');
      const other = await test.pool.getSkillClient('other');
      await inside(other, `require('fs').writeFileSync('/data/${PRIVATE_NAME}', 'of another skill')`);
      this.#begun = { test, skill, dataFolder: await this.level.dataFolder(test, 'echo') };
    } catch (error) {
      await test.cleanUp();
      await this.level.stop();
      throw error;
    } finally {
      delete process.env.PHOENIX_TEST_SECRET;
      process.env.PATH = PATH;
    }
  }

  async end(): Promise<void> {
    if (!this.#begun) return;
    for (const server of this.#servers) server.close();
    await this.#begun.test.cleanUp();
    await this.level.stop();
  }

  get #running() {
    if (!this.#begun) throw new Error('it has not begun');
    return this.#begun;
  }

  get test(): TestPool {
    return this.#running.test;
  }

  /** Where the data of the skill lie on this machine. */
  get dataFolder(): string {
    return this.#running.dataFolder;
  }

  /** Runs code in the skill. */
  inside<T>(code: string): Promise<T> {
    return inside<T>(this.#running.skill, code);
  }

  /** Tries something in the skill. @returns IT_WORKED, or the code of the error */
  attempt(code: string): Promise<string> {
    return attempt(this.#running.skill, code);
  }

  read(path: string): Promise<string> {
    return this.attempt(`require('fs').readFileSync(${JSON.stringify(path)})`);
  }

  connect(options: object): Promise<string> {
    return this.attempt(
      `await new Promise((resolve, reject) => {
        const socket = require('net').connect(${JSON.stringify(options)}, resolve);
        socket.setTimeout(2000, () => reject(new Error('timeout')));
        socket.on('error', reject);
      })`,
    );
  }

  /** A server of this machine that notes who connects. */
  async listen(name: string, where: { host: string; port: 0 } | { path: string }): Promise<Server> {
    const server = createServer((socket) => {
      this.connected.push(name);
      socket.destroy();
    });
    this.#servers.push(server);
    server.listen(where);
    await once(server, 'listening');
    return server;
  }
}
