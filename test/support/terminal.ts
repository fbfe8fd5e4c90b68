/** A real terminal without a window: tmux draws what a program writes, and gives it keys and sizes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMissing } from './requirements.ts';
import { until } from './scoped-pool.ts';

/** @returns why tests in a terminal are skipped, or false when they are not */
export function terminalMissing(): string | false {
  return isMissing('tmux (Debian: apt-get install tmux)', spawnSync('tmux', ['-V']).status === 0);
}

/** A terminal in which a shell waits for commands. */
export class Terminal implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'phoenix-terminal-'));
  #started = 0;

  constructor(columns: number, rows: number, environment: Record<string, string>) {
    const { TMUX: _, ...env } = process.env;
    const size = ['-x', String(columns), '-y', String(rows)];
    // A shell with job control, so that what is stopped can be continued.
    this.#tmux(['new-session', '-d', ...size, 'env PS1="$ " bash --noprofile --norc'], { ...env, ...environment });
  }

  #tmux(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
    const socket = join(this.#folder, 'socket');
    const { status, stdout, stderr } = spawnSync('tmux', ['-u', '-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env,
    });
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Types text, as it is. */
  type(text: string): void {
    this.#tmux(['send-keys', '-l', text]);
  }

  /** Presses a key by its name, for example `Enter`, `C-c`, `Down`. */
  press(key: string): void {
    this.#tmux(['send-keys', key]);
  }

  resize(columns: number, rows: number): void {
    this.#tmux(['resize-window', '-x', String(columns), '-y', String(rows)]);
  }

  /** What can be seen, line by line. */
  get lines(): string[] {
    return this.#tmux(['capture-pane', '-p']).trimEnd().split('\n');
  }

  /** Whether programs have the other screen, and whether the cursor can be seen. */
  get mode(): { isAlternate: boolean; hasCursor: boolean } {
    const [alternate, cursor] = this.#tmux(['display', '-p', '#{alternate_on} #{cursor_flag}']).trim().split(' ');
    return { isAlternate: alternate === '1', hasCursor: cursor === '1' };
  }

  /** Waits until what can be seen matches. @returns it */
  async untilSeen(what: string, pattern: RegExp): Promise<string> {
    let seen = '';
    try {
      await until(what, () => {
        seen = this.lines.join('\n');
        return pattern.test(seen);
      });
    } catch {
      throw new Error(`waited in vain: ${what}; what can be seen:\n${seen}`);
    }
    return seen;
  }

  /** Gives the shell a command. */
  start(command: string): void {
    this.#started++;
    this.type(`${command}; echo "(end of ${this.#started}: $?)"`);
    this.press('Enter');
  }

  /** Waits until the last command has ended. @returns its exit code, and what can be seen then */
  async untilEnded(): Promise<{ code: number; seen: string }> {
    const end = new RegExp(`^\\(end of ${this.#started}: (\\d+)\\)`, 'm');
    const seen = await this.untilSeen('the end of the command', end);
    return { code: Number(end.exec(seen)?.[1]), seen };
  }

  /** Runs a command of the shell to its end. */
  async run(command: string): Promise<{ code: number; seen: string }> {
    this.start(command);
    return await this.untilEnded();
  }

  [Symbol.dispose](): void {
    this.#tmux(['kill-server']);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
