import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import {
  generateKeys,
  isSignedBy,
  type PatchRequest,
  signDiff,
  type TriedPatch,
  type TryOptions,
  tryPatch,
} from '../../patch/index.ts';
import { CliError } from '../errors.ts';
import { durationValue, positiveNumber, sizeValue, wholeNumber } from '../option-values.ts';
import { Progress } from '../progress.ts';
import { configOf } from '../with-operations.ts';

const SKILL = 'patch-sandbox';
/** Exit codes beside 0: what a script wants to tell apart. */
const EXIT = { applied: 0, passed: 0, failed: 1, not_applied: 2 } as const;

interface TryFlags {
  tree: string;
  run?: string;
  runtime: TryOptions['runtime'];
  toolchain: boolean;
  timeout: number;
  memory?: number;
  tmp?: number;
  pids?: number;
  cpus?: number;
  strip?: number;
  fuzz?: number;
  signature?: string;
  exclude: string[];
  json?: boolean;
}

/** `phoenix patch ...` */
export function patchCommand(): Command {
  const patch = new Command('patch').description('Try patches where they cannot hurt, and sign them.');
  patch
    .command('try')
    .description(
      'Apply a diff in a throw-away copy and run a command there: no network, nothing of this machine but the tree and, read-only, its programs.',
    )
    .argument('<diff>', 'a unified diff, or - for what comes in')
    .option('--tree <folder>', 'what the diff is for; it is only read', '.')
    .option('--run <command>', 'what to run in the copy, for example "npm test"; without it the diff is only applied')
    .option('--timeout <duration>', 'how long the command may take', durationValue, 300_000)
    .option('--memory <size>', 'memory for all of it, the copy included', sizeValue)
    .option('--tmp <size>', 'how large the copy, and what the command writes, may become', sizeValue)
    .option('--pids <n>', 'processes and threads at once', wholeNumber)
    .option('--cpus <n>', 'processors', positiveNumber)
    .option(
      '--exclude <name>',
      'leave out what is called so; repeatable',
      (name, names: string[]) => [...names, name],
      [],
    )
    .option('--strip <n>', 'folders to leave out at the beginning of each path', wholeNumber)
    .option('--fuzz <n>', 'lines of context of a hunk that may differ, 0 to 3', wholeNumber)
    .option('--signature <file>', 'its signature; default: DIFF.sig, if it is there')
    .option('--no-toolchain', "show it nothing of this machine's programs: only Node is there")
    .addOption(
      new Option('--runtime <name>', 'how it is isolated')
        .choices(['auto', 'sandbox', 'docker', 'process'])
        .default('auto'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code: 0 applied, and the command succeeded; 1 it failed; 2 the diff does not apply.')
    .action(tryDiff);
  patch
    .command('keygen')
    .description('Make a pair of keys: FILE, which stays with you, and FILE.pub.')
    .argument('<file>')
    .action((file: string) => {
      for (const path of [file, `${file}.pub`])
        if (existsSync(path)) throw new CliError(`${path} is there already, and a key is not overwritten`);
      const { privateKey, publicKey } = generateKeys();
      writeFileSync(file, privateKey, { mode: 0o600, flag: 'wx' });
      chmodSync(file, 0o600);
      writeFileSync(`${file}.pub`, publicKey, { flag: 'wx' });
      process.stdout.write(
        `made: ${file}, ${file}.pub\nTo demand signatures, in phoenix.yaml:\n  skills: { ${SKILL}: { config: { trusted_keys: ["${bare(publicKey)}"] } } }\n`,
      );
    });
  patch
    .command('sign')
    .description('Sign a diff: writes DIFF.sig.')
    .argument('<diff>')
    .requiredOption('--key <file>', 'the private key')
    .action((diff: string, { key }: { key: string }) => {
      writeFileSync(`${diff}.sig`, `${signDiff(readBytes(diff), readText(key))}\n`);
      process.stdout.write(`signed: ${diff}.sig\n`);
    });
  patch
    .command('verify')
    .description('Check the signature of a diff.')
    .argument('<diff>')
    .option('--key <file>', 'a public key; default: config.trusted_keys of the skill in phoenix.yaml')
    .option('--signature <file>', 'default: DIFF.sig')
    .action((diff: string, { key, signature }: { key?: string; signature?: string }, command: Command) => {
      const keys = key === undefined ? trustedKeys(command) : [readText(key)];
      if (keys.length === 0)
        throw new CliError(
          `no key to check with: give --key, or set skills.${SKILL}.config.trusted_keys in phoenix.yaml`,
        );
      if (!isSignedBy(readBytes(diff), readText(signature ?? `${diff}.sig`), keys))
        throw new CliError(`${diff}: the signature is not one of this file by ${key ?? 'a trusted key'}`);
      process.stdout.write(`${diff}: the signature is good\n`);
    });
  return patch;
}

async function tryDiff(diff: string, flags: TryFlags, command: Command): Promise<void> {
  const bytes = diff === '-' ? readFileSync(0) : readBytes(diff);
  const tree = resolve(flags.tree);
  if (!statSync(tree, { throwIfNoEntry: false })?.isDirectory()) throw new CliError(`--tree: ${tree} is no folder`);
  const request: PatchRequest = { diff: toText(bytes, diff), command: flags.run, strip: flags.strip, fuzz: flags.fuzz };
  const signature = flags.signature ?? (existsSync(`${diff}.sig`) ? `${diff}.sig` : undefined);
  if (signature !== undefined) request.signature = readText(signature).trim();
  const own = configOf(command).skills[SKILL]?.config ?? {};
  const { memory, tmp, pids, cpus } = flags;
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new CliError('interrupted; nothing was changed')));
  using progress = new Progress();
  const result = await tryPatch({
    request,
    tree,
    runtime: flags.runtime,
    toolchain: flags.toolchain,
    timeoutMs: flags.timeout,
    limits: Object.fromEntries(Object.entries({ memory, tmp, pids, cpus }).filter(([, value]) => value !== undefined)),
    config: flags.exclude.length > 0 ? { ...own, exclude: ['.git', ...flags.exclude] } : own,
    signal: interrupted.signal,
    onStep: (step) => progress.step(step),
  });
  progress.end();
  process.stdout.write(flags.json ? `${JSON.stringify(result, undefined, 2)}\n` : report(result));
  process.exitCode = EXIT[result.verdict];
}

/** What happened, for people. */
function report({ summary, files, problems, command, notes, isolation, durationMs }: TriedPatch): string {
  const lines: string[] = [];
  for (const { path, change, from, added, removed, fuzz } of files) {
    const inexact = fuzz > 0 ? `  (${fuzz} lines of context differ)` : '';
    lines.push(
      `${change.padEnd(8)}  ${from === undefined ? '' : `${from} -> `}${path}  +${added} -${removed}${inexact}`,
    );
  }
  for (const { path, hunk, reason } of problems) {
    const where = [path, hunk === undefined ? undefined : `hunk ${hunk}`].filter(Boolean).join(', ');
    lines.push(`problem   ${where}${where && ': '}${reason}`);
  }
  if (command) {
    for (const [name, text] of [
      ['output', command.stdout],
      ['errors', command.stderr],
    ] as const)
      if (text !== '') lines.push(`--- ${name}`, text.trimEnd());
    lines.push('---');
  }
  lines.push(...notes.map((note) => `note      ${note}`));
  lines.push(
    `${problems.length > 0 ? 'not applied' : summary}  [${isolation}, ${(durationMs / 1000).toFixed(1)} s in all]`,
  );
  return `${lines.join('\n')}\n`;
}

/** The base64 in the middle of a key. */
function bare(pem: string): string {
  return pem.replaceAll(/-----[^-]+-----|\s/g, '');
}

function trustedKeys(command: Command): string[] {
  const keys = configOf(command).skills[SKILL]?.config?.trusted_keys;
  return Array.isArray(keys) ? keys.map(String) : [];
}

/** @throws CliError: only text can be a unified diff */
function toText(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError(`${name} is no UTF-8 text, so it is no diff that can be applied`);
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function readText(path: string): string {
  return readBytes(path).toString();
}
