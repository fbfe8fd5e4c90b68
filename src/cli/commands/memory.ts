import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { Operations } from '../../assistant/index.ts';
import type { Pattern, RecallPage, RecallQuery, Triple } from '../../memory/index.ts';
import { CliError } from '../errors.ts';
import { toTable } from '../table.ts';
import { withOperations } from '../with-operations.ts';

interface RecallOptions extends Pattern {
  limit?: number;
  cursor?: string;
  asOf?: number;
  json?: boolean;
}

interface CorrectOptions {
  toSubject?: string;
  toVerb?: string;
  toObject?: string;
  wasTrue?: boolean;
}

/** `phoenix memory ...` */
export function memoryCommand(): Command {
  const memory = new Command('memory').description('What the assistant remembers.');
  withPattern(memory.command('recall').description('Facts that are true now, the surest first.'))
    .option('--as-of <date>', 'what was true then instead', parseDate)
    .action((options: RecallOptions, command: Command) =>
      show(command, options, (operations, query) => operations.recall(query)),
    );
  withPattern(memory.command('history').description('Facts that are or were true.')).action(
    (options: RecallOptions, command: Command) =>
      show(command, options, (operations, query) => operations.history(query)),
  );
  memory
    .command('search')
    .description('Facts that are true now and contain a text somewhere.')
    .argument('<text>')
    .option('--limit <n>', 'at most so many (default: 100)', parseNumber)
    .option('--json', 'print JSON')
    .action((text: string, options: RecallOptions, command: Command) =>
      show(command, options, (operations, query) => operations.recall({ ...query, text })),
    );
  memory
    .command('store')
    .description('Store one fact.')
    .argument('<subject>')
    .argument('<verb>')
    .argument('<object>')
    .option('--confidence <n>', 'how sure, 0 to 1', parseNumber)
    .action(
      (subject: string, verb: string, object: string, { confidence }: { confidence?: number }, command: Command) =>
        withOperations(command, async (operations) => {
          await operations.store([{ subject, verb, object, ...(confidence === undefined ? {} : { confidence }) }]);
          process.stdout.write(`stored: (${subject}, ${verb}, ${object})\n`);
        }),
    );
  memory
    .command('correct')
    .description('Replace a fact by another.')
    .argument('<subject>')
    .argument('<verb>')
    .argument('<object>')
    .option('--to-subject <text>', 'the right subject')
    .option('--to-verb <text>', 'the right verb')
    .option('--to-object <text>', 'the right object')
    .option('--was-true', 'it was true until now, and stays in the history; otherwise it is forgotten')
    .action((subject: string, verb: string, object: string, options: CorrectOptions, command: Command) =>
      withOperations(command, async (operations) => {
        const { toSubject = subject, toVerb = verb, toObject = object, wasTrue = false } = options;
        const to = { subject: toSubject, verb: toVerb, object: toObject };
        const isDone = await operations.correct({ from: { subject, verb, object }, to, wasWrong: !wasTrue });
        process.stdout.write(
          isDone ? `corrected: (${toSubject}, ${toVerb}, ${toObject})\n` : 'there is no such fact\n',
        );
      }),
    );
  memory
    .command('forget')
    .description('Erase facts and their history.')
    .option('--subject <text>')
    .option('--verb <text>')
    .option('--object <text>')
    .option('--everything', 'erase the whole memory')
    .action(({ everything = false, ...pattern }: Pattern & { everything?: boolean }, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write(`forgotten: ${await operations.forget(pattern, everything)}\n`);
      }),
    );
  memory
    .command('rotate')
    .description('Drop history, and facts that were not seen for some days.')
    .argument('<days>', 'days', parseNumber)
    .action((days: number, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write(`removed: ${await operations.rotate(days)}\n`);
      }),
    );
  memory
    .command('vacuum')
    .description('Give free space back to the disk.')
    .action((_options: object, command: Command) => withOperations(command, (operations) => operations.vacuum()));
  memory
    .command('stats')
    .description('How much is remembered, and where.')
    .action((_options: object, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write(`${JSON.stringify(await operations.memoryStats(), undefined, 2)}\n`);
      }),
    );
  memory
    .command('export')
    .description('Write everything as JSON Lines.')
    .argument('[file]', 'where to; standard output without it')
    .action((file: string | undefined, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        const lines = (async function* () {
          for await (const line of operations.exportMemory()) yield line.endsWith('\n') ? line : `${line}\n`;
        })();
        await pipeline(lines, file ? createWriteStream(file, { mode: 0o600 }) : process.stdout, {
          end: file !== undefined,
        });
      }),
    );
  memory
    .command('import')
    .description('Read what export wrote; importing the same file twice changes nothing.')
    .argument('[file]', 'where from; standard input without it')
    .action((file: string | undefined, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        const input = file ? createReadStream(file) : process.stdin;
        input.on('error', (error: Error) => process.stderr.write(`phoenix: ${error.message}\n`));
        process.stdout.write(`imported: ${await operations.importMemory(createInterface({ input }))}\n`);
      }),
    );
  return memory;
}

function withPattern(command: Command): Command {
  return command
    .option('--subject <text>')
    .option('--verb <text>')
    .option('--object <text>')
    .option('--limit <n>', 'at most so many (default: 100)', parseNumber)
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--json', 'print JSON');
}

function show(
  command: Command,
  { json, ...query }: RecallOptions,
  ask: (operations: Operations, query: RecallQuery) => Promise<RecallPage>,
): Promise<void> {
  return withOperations(command, async (operations) => {
    const page = await ask(operations, query);
    if (json) {
      process.stdout.write(`${JSON.stringify(page, undefined, 2)}\n`);
      return;
    }
    process.stdout.write(
      page.triples.length === 0
        ? 'nothing is known about that\n'
        : toTable(['SUBJECT', 'VERB', 'OBJECT', 'CONFIDENCE', 'LAST SEEN', 'VALID'], page.triples.map(toRow)),
    );
    if (page.cursor) process.stdout.write(`more: --cursor ${page.cursor}\n`);
  });
}

function toRow({ subject, verb, object, confidence, lastSeen, validFrom, validTo }: Triple): string[] {
  const date = (at: number) => new Date(at).toISOString().slice(0, 19);
  const valid = validTo === null ? 'now' : `${date(validFrom)} to ${date(validTo)}`;
  return [subject, verb, object, confidence.toFixed(2), date(lastSeen), valid];
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError(`"${text}" is no number`);
  return value;
}

function parseDate(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value))
    throw new CliError(`"${text}" is no date; write for example 2026-01-31 or 2026-01-31T12:00:00Z`);
  return value;
}
