import type { ReadStream, WriteStream } from 'node:tty';

const ALTERNATE_SCREEN = '\x1b[?1049h';
const MAIN_SCREEN = '\x1b[?1049l';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
/** Exit codes of who is ended by a signal: 128 and its number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

export interface ScreenEvents {
  /** A key, as the terminal sends it. Ctrl-C is none: it ends the program. */
  key(key: string): void;
  /** The size has changed, or the screen was lost: draw again. */
  redraw(): void;
  /** Somebody wants it to end, with this exit code. */
  end(exitCode: number): void;
}

/**
 * The whole terminal, for as long as this is not disposed of: its other screen, no cursor, keys as they are pressed. Whatever way the
 * process ends, short of SIGKILL, the terminal is as it was.
 */
export class Screen implements Disposable {
  readonly #output: WriteStream;
  readonly #input: ReadStream | undefined;
  readonly #undo: (() => void)[] = [];
  #isEntered = false;

  /** @param input where keys come from; undefined when that is no terminal */
  constructor(output: WriteStream, input: ReadStream | undefined, { key, redraw, end }: ScreenEvents) {
    this.#output = output;
    this.#input = input;
    const listen = (emitter: NodeJS.EventEmitter, event: string, listener: (...args: never[]) => void) => {
      emitter.on(event, listener as () => void);
      this.#undo.push(() => emitter.off(event, listener as () => void));
    };
    listen(process, 'exit', () => this.#leave());
    for (const [signal, code] of Object.entries(SIGNALS)) listen(process, signal, () => end(code));
    listen(process, 'SIGCONT', () => {
      this.#enter();
      redraw();
    });
    listen(output, 'resize', redraw);
    if (input) {
      input.setEncoding('utf8');
      listen(input, 'data', (text: string) => {
        for (const each of keysOf(text)) {
          if (each === CTRL_C) end(SIGNALS.SIGINT);
          else if (each === CTRL_Z) this.#suspend();
          else key(each);
        }
      });
    }
    this.#enter();
  }

  get columns(): number {
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /** Shows these lines, as many as there is room for. None may be longer than the terminal is wide. */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered) return;
    // Cleared first: behind the last column there is nothing, and clearing there takes the last character.
    const shown = Array.from({ length: this.rows }, (_, row) => `${CLEAR_LINE}${lines[row] ?? ''}`);
    this.#output.write(`${HOME}${shown.join('\r\n')}`);
  }

  [Symbol.dispose](): void {
    this.#leave();
    for (const undo of this.#undo.splice(0)) undo();
    this.#input?.pause();
  }

  #enter(): void {
    if (this.#isEntered) return;
    this.#isEntered = true;
    this.#input?.setRawMode(true);
    this.#output.write(`${ALTERNATE_SCREEN}${HIDE_CURSOR}`);
  }

  #leave(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#output.write(`${SHOW_CURSOR}${MAIN_SCREEN}`);
    this.#input?.setRawMode(false);
  }

  /** Ctrl-Z: back to the shell with everything that was started together, until SIGCONT. */
  #suspend(): void {
    this.#leave();
    process.kill(0, 'SIGTSTP');
  }
}

/** The keys in what a terminal sent at once: those that are more than one character begin with an escape. */
function keysOf(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals send.
  return text.match(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|./gs) ?? [];
}
