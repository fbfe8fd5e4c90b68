/** `phoenix top`: in a pipe, and in a real terminal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { phoenix, type RunningAssistant, startAssistant, temporaryFolder } from './support/assistant.ts';
import { FIXTURES } from './support/pool.ts';
import { until } from './support/scoped-pool.ts';
import { Terminal, terminalMissing } from './support/terminal.ts';

const MAIN = join(import.meta.dirname, '../src/cli/main.ts');
const TOP = `${process.execPath} ${MAIN} top --interval 0.1`;
const run = promisify(execFile);

interface Overview {
  requests: number;
  requestsPerSecond: number;
  hitRate: number;
  lookBackSeconds?: number;
  skills: {
    name: string;
    state: string;
    isolation?: string;
    memoryBytes?: number;
    callsPerSecond: number;
    p50Seconds?: number;
    p99Seconds?: number;
    errors: number;
    restarts: number;
  }[];
}

describe('phoenix top', () => {
  const stateDir = temporaryFolder();
  const environment = { PHOENIX_STATE_DIR: stateDir };
  const settings = {
    ...environment,
    PHOENIX_SKILL_DIRS: `[${FIXTURES}]`,
    PHOENIX_MODELS_TARGET: 'none',
    PHOENIX_MODELS_DRAFT: 'none',
  };
  let assistant: RunningAssistant;
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(new URL(path, assistant.url), { method: 'POST', headers, body: JSON.stringify(body) });
    await response.text();
    return response.status;
  };
  const say = (content: string) =>
    post('/v1/chat/completions', { model: 'phoenix', messages: [{ role: 'user', content }] });
  const call = (prompt: string) => post('/api/skills/echo/call', { prompt });
  const looked = (...args: string[]) => {
    const { code, stdout, stderr } = phoenix(['top', '--interval', '0.1', '--json', ...args], environment);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Overview;
  };
  const skillOf = ({ skills }: Overview, name: string) => {
    const found = skills.find((skill) => skill.name === name);
    assert.ok(found, `${name} is missing`);
    return found;
  };

  before(async () => {
    assistant = await startAssistant(settings);
  });
  after(async () => {
    await assistant[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('gives the numbers of what happened', async () => {
    const recall = async () => (await fetch(new URL('/api/memory?subject=nobody', assistant.url))).json();
    await until('the memory is synchronized', async () => ((await recall()) as { from: string }).from === 'skill');
    for (let n = 0; n < 6; n++) assert.equal(await say(n % 3 === 0 ? 'Hola' : '¿Dónde vive mi hermana?'), 200);
    for (let n = 0; n < 4; n++) assert.equal(await call('sleep:60'), 200);
    assert.equal(await call('exit:3'), 503);
    assert.equal(await call('again'), 200);
    const overview = looked();
    assert.equal(overview.requests, 6);
    assert.equal(overview.requestsPerSecond, 0);
    assert.equal(Math.round(overview.hitRate * 6), 4);
    assert.equal(overview.lookBackSeconds, undefined, 'since the start');
    const echo = skillOf(overview, 'echo');
    assert.deepEqual([echo.state, echo.errors, echo.restarts], ['ready', 1, 1]);
    assert.match(echo.isolation ?? '', /^(container|sandbox|process)$/);
    assert.ok((echo.memoryBytes ?? 0) > 5e6, `${echo.memoryBytes} bytes`);
    // Four of the six calls took 60 ms.
    assert.ok((echo.p50Seconds ?? 0) >= 0.05, `${echo.p50Seconds} s`);
    assert.ok((echo.p99Seconds ?? 0) >= (echo.p50Seconds ?? 0));
    assert.equal(skillOf(overview, 'bad-manifest').state, 'broken');
  });

  it('counts what happens between its two looks', async () => {
    let isOver = false;
    const load = (async () => {
      while (!isOver) await call('hello');
    })();
    const args = [MAIN, 'top', '--json', '--interval', '1'];
    const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...environment } });
    isOver = true;
    await load;
    assert.ok(skillOf(JSON.parse(stdout) as Overview, 'echo').callsPerSecond > 1);
  });

  it('prints one table in a pipe', () => {
    const { code, stdout } = phoenix(['top', '--interval', '0.1'], environment);
    assert.equal(code, 0);
    assert.match(stdout, /^Phoenix \S+ {2}up \d+ \w+ {2}requests 6 \(0\.00\/s\) {2}hit rate 67 % {2}acceptance -\n\n/);
    assert.match(stdout, /^SKILL +STATE +ISOLATION +MEMORY +LIMIT +CALLS\/S +P50 +P99 +WAITING +ERRORS +RESTARTS$/m);
    assert.match(stdout, /^echo +ready +\w+ +\d+ MiB +\d+ MiB +[\d.]+ +[\d.]+ \ws +[\d.]+ \w?s +0 +1 +1$/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must not be there.
    assert.doesNotMatch(stdout, /\x1b/);
  });

  it('says what to start where nothing runs, and refuses times that make no sense', () => {
    const nothing = phoenix(['top'], { PHOENIX_STATE_DIR: join(stateDir, 'other') });
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /^phoenix: no assistant runs on \S+other: start it with "phoenix start".*\n$/);
    const refused = phoenix(['top', '--interval', 'soon'], environment);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /from 0\.1 to 3600 seconds/);
  });

  describe('in a terminal', { skip: terminalMissing() }, () => {
    const HEADINGS = /^SKILL +STATE/m;
    const isRestored = (terminal: Terminal) => {
      assert.deepEqual(terminal.mode, { isAlternate: false, hasCursor: true });
    };
    /** A terminal in which it runs. */
    const watch = async (columns = 120, rows = 30, command = TOP) => {
      const terminal = new Terminal(columns, rows, environment);
      terminal.start(command);
      await terminal.untilSeen('the table', HEADINGS);
      assert.deepEqual(terminal.mode, { isAlternate: true, hasCursor: false });
      return terminal;
    };

    it('shows what happens, and ends with q', async () => {
      using terminal = await watch();
      const before = skillOf(looked(), 'echo');
      const seen = await terminal.untilSeen('no calls', /^echo +ready .* 0\.00 /m);
      assert.match(seen, /^Phoenix \S+ {2}up .* {2}requests 6 \(0\.00\/s\)/);
      assert.match(seen, /^bad-manifest +broken/m);
      assert.equal(await call('hello'), 200);
      await terminal.untilSeen('the call', /^echo +ready .* [\d.]+ [mu]s +0 +\d+ +\d+$/m);
      assert.equal(await call('exit:3'), 503);
      await terminal.untilSeen(
        'the end of the skill',
        new RegExp(`^echo .* ${before.errors + 1} +${before.restarts}$`, 'm'),
      );
      terminal.press('q');
      const { code, seen: left } = await terminal.untilEnded();
      assert.equal(code, 0);
      assert.doesNotMatch(left, HEADINGS);
      isRestored(terminal);
    });

    it('ends with Ctrl-C and by signals, and leaves the terminal as it was', async () => {
      const [pidFile, before] = [join(stateDir, 'top.pid'), join(stateDir, 'stty')];
      const signal = (name: NodeJS.Signals) => process.kill(Number(readFileSync(pidFile, 'utf8')), name);
      const ends: [code: number, end: (terminal: Terminal) => void][] = [
        [130, (terminal) => terminal.press('C-c')],
        [130, () => signal('SIGINT')],
        [143, () => signal('SIGTERM')],
        [129, () => signal('SIGHUP')],
      ];
      for (const [expected, end] of ends) {
        using terminal = await watch(100, 20, `stty -g > ${before}; sh -c 'echo $$ > ${pidFile}; exec ${TOP}'`);
        end(terminal);
        assert.equal((await terminal.untilEnded()).code, expected);
        isRestored(terminal);
        const { code } = await terminal.run(`stty -g | diff - ${before}`);
        assert.equal(code, 0, 'the settings of the terminal are others');
      }
    });

    it('is stopped by Ctrl-Z and goes on', async () => {
      using terminal = await watch();
      terminal.press('C-z');
      await terminal.untilSeen('the shell', /Stopped/);
      isRestored(terminal);
      terminal.type('fg\n');
      await terminal.untilSeen('the table', HEADINGS);
      assert.deepEqual(terminal.mode, { isAlternate: true, hasCursor: false });
      terminal.press('q');
      await until('the shell is back', () => !terminal.mode.isAlternate);
      isRestored(terminal);
    });

    it('leaves out columns where there is no room, and scrolls', async () => {
      using terminal = await watch();
      assert.match(await terminal.untilSeen('everything', HEADINGS), / RESTARTS$/m);
      for (const [columns, rows] of [
        [50, 15],
        [30, 8],
        [12, 3],
      ] as const) {
        terminal.resize(columns, rows);
        await terminal.untilSeen('what there is room for', /^(?!.*RESTARTS).*$/s);
        const { lines } = terminal;
        assert.ok(lines.length <= rows && lines.every(({ length }) => length <= columns), lines.join('\n'));
      }
      terminal.resize(80, 9);
      const top = await terminal.untilSeen('the first skills', /^bad-manifest/m);
      assert.doesNotMatch(top, /^stateless/m);
      for (let n = 0; n < 20; n++) terminal.press(n % 2 ? 'Down' : 'j');
      await terminal.untilSeen('the last skills', /^stateless/m);
      for (let n = 0; n < 20; n++) terminal.press(n % 2 ? 'Up' : 'k');
      await terminal.untilSeen('the first skills', /^bad-manifest/m);
    });

    it('changes the order with s', async () => {
      assert.equal(await call('hello'), 200);
      using terminal = await watch();
      terminal.press('s');
      terminal.press('s');
      const seen = await terminal.untilSeen('the order', /\(by memory\)/);
      const [, first = ''] = /^SKILL.*\n(\S+)/m.exec(seen) ?? [];
      assert.match(first, /^(echo|sql)$/, 'one that runs');
    });

    it('waits for an assistant that is gone, and finds it where it comes back', async () => {
      using terminal = await watch();
      const url = assistant.url;
      await assistant.stop();
      await terminal.untilSeen('what is wrong', /does not answer|no assistant runs/);
      assistant = await startAssistant(settings);
      assert.notEqual(assistant.url, url);
      await terminal.untilSeen('the new one', /requests 0 /);
      assert.doesNotMatch(await terminal.untilSeen('no error', /^(?!.*does not answer).*$/s), /no assistant runs/);
      terminal.press('q');
      assert.equal((await terminal.untilEnded()).code, 0);
    });

    it('leaves the terminal as it was when it fails', async () => {
      using terminal = new Terminal(100, 20, environment);
      const screen = new URL('../src/cli/top/screen.ts', import.meta.url).href;
      const script = join(stateDir, 'fails.ts');
      writeFileSync(
        script,
        `import { Screen } from '${screen}';
         const screen = new Screen(process.stdout, process.stdin, { key() {}, redraw() {}, end() {} });
         screen.draw(['it is there']);
         process.stdin.once('data', () => { throw new Error('on purpose'); });`,
      );
      terminal.start(`${process.execPath} ${script}`);
      await terminal.untilSeen('the screen', /^it is there/);
      assert.deepEqual(terminal.mode, { isAlternate: true, hasCursor: false });
      terminal.press('x');
      const { code, seen } = await terminal.untilEnded();
      assert.equal(code, 1);
      assert.match(seen, /Error: on purpose/);
      isRestored(terminal);
      const { seen: settings } = await terminal.run('clear; stty -a');
      assert.match(settings, / icanon .* echo /s);
    });

    it('touches nothing where there is nothing to show', async () => {
      using terminal = new Terminal(100, 20, { PHOENIX_STATE_DIR: join(stateDir, 'other') });
      const { code, seen } = await terminal.run(TOP);
      assert.equal(code, 1);
      assert.match(seen, /phoenix: no assistant runs/);
      isRestored(terminal);
    });
  });
});
