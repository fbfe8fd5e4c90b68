import { Command, InvalidArgumentError } from 'commander';
import { skillFolders } from '../../assistant/index.ts';
import type { LoadedConfig } from '../../config/index.ts';
import { readCatalog } from '../../manifest/index.ts';
import type { SkillStatusReport } from '../../pool/index.ts';
import { buildSkillImage, localPaths } from '../../runtimes/index.ts';
import { CliError } from '../errors.ts';
import { scaffoldSkill } from '../scaffold-skill.ts';
import { toMib, toTable } from '../table.ts';
import { configOf, withOperations } from '../with-operations.ts';

/** `phoenix skill ...` */
export function skillCommand(): Command {
  const skill = new Command('skill').description('Skills: what there is, what runs, and calls by hand.');
  skill
    .command('list')
    .description('All skills and their state.')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) =>
      withOperations(command, async (operations) => {
        const skills = await operations.listSkills();
        process.stdout.write(json ? `${JSON.stringify(skills, undefined, 2)}\n` : toTable(HEADINGS, skills.map(toRow)));
      }),
    );
  skill
    .command('status')
    .description('Everything about one skill.')
    .argument('<name>')
    .action((name: string, _options: object, command: Command) =>
      withOperations(command, async (operations) => print(await operations.skillStatus(name))),
    );
  skill
    .command('start')
    .description('Start a skill; it stays until it is stopped.')
    .argument('<name>')
    .action((name: string, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        const { state, isolation } = await operations.startSkill(name);
        process.stdout.write(`${name}: ${state} (${isolation})\n`);
      }),
    );
  skill
    .command('stop')
    .description('Stop a skill.')
    .argument('<name>')
    .action((name: string, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write((await operations.stopSkill(name)) ? `${name}: stopped\n` : `${name}: was not running\n`);
      }),
    );
  skill
    .command('restart')
    .description('Stop a skill and start it again.')
    .argument('<name>')
    .action((name: string, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        const { state, isolation } = await operations.restartSkill(name);
        process.stdout.write(`${name}: ${state} (${isolation})\n`);
      }),
    );
  skill
    .command('reload')
    .description('Make a running skill read its code again.')
    .argument('<name>')
    .action((name: string, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write(
          (await operations.reloadSkill(name)) ? `${name}: reloaded\n` : `${name}: is not running\n`,
        );
      }),
    );
  skill
    .command('logs')
    .description('What a skill logged last.')
    .argument('<name>')
    .option('-n, --lines <n>', 'how many lines', parseCount, 100)
    .action((name: string, { lines }: { lines: number }, command: Command) =>
      withOperations(command, async (operations) => {
        for (const line of await operations.skillLogs(name, lines)) process.stdout.write(`${line}\n`);
      }),
    );
  skill
    .command('call')
    .description('Call a skill by hand, for example: phoenix skill call sql "SELECT ? AS one" --parameter 1')
    .argument('<name>')
    .argument('<prompt>')
    .option('--parameter <value>', 'a value of the statement, repeatable; JSON, or else text', collectParameter, [])
    .option('--max-tokens <n>', 'most tokens of the answer, for a skill that writes text, as draft', parseCount)
    .option('--schema', 'let an SQL statement change the schema')
    .option('--timeout <ms>', 'milliseconds', parseCount)
    .option('--json', 'print the whole answer')
    .action(
      (name: string, prompt: string, { parameter, maxTokens, schema, timeout, json }: CallOptions, command: Command) =>
        withOperations(command, async (operations) => {
          const answer = await operations.callSkill(name, {
            prompt,
            ...(parameter.length > 0 ? { parameters: parameter } : {}),
            ...(maxTokens === undefined ? {} : { maxTokens }),
            ...(schema ? { grants: ['schema'] } : {}),
            ...(timeout === undefined ? {} : { timeoutMs: timeout }),
          });
          if (json) print(answer);
          else process.stdout.write(`${answer.text}\n`);
        }),
    );
  skill
    .command('build')
    .description('Build the container image of a skill, without pulling anything.')
    .argument('[name]')
    .option('--all', 'of every skill')
    .option('--base <image>', 'on an image that the engine has, for example debian:12-slim, instead of on nothing')
    .action((name: string | undefined, { all, base }: { all?: boolean; base?: string }, command: Command) =>
      buildImages(name, { all: all === true, base }, configOf(command)),
    );
  skill
    .command('new')
    .description('Make a skill that passes its own test.')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .option('--dir <folder>', 'where to', 'skills')
    .action((name: string, { dir }: { dir: string }, command: Command) => {
      process.stdout.write(scaffoldSkill(name, dir, configOf(command)));
    });
  return skill;
}

async function buildImages(
  name: string | undefined,
  { all, base }: { all: boolean; base: string | undefined },
  config: LoadedConfig,
): Promise<void> {
  const { skills } = readCatalog(skillFolders(config));
  if ((name === undefined) !== all) throw new CliError('name one skill, or say --all');
  for (const each of name === undefined ? skills.keys() : [name]) {
    const manifest = skills.get(each);
    if (!manifest) throw new CliError(`there is no skill "${each}"; there are: ${[...skills.keys()].join(', ')}`);
    process.stderr.write(`building ${each} ...\n`);
    const { name: image, id, size, sbom } = await buildSkillImage(manifest, localPaths(config.state_dir), base);
    process.stdout.write(`${image}  ${id}  ${Math.round(size / 1e6)} MB\n  bill of materials: ${sbom}\n`);
  }
}

interface CallOptions {
  parameter: (string | number | null)[];
  maxTokens?: number;
  schema?: boolean;
  timeout?: number;
  json?: boolean;
}

const HEADINGS = ['NAME', 'VERSION', 'STATE', 'ISOLATION', 'MEMORY', 'CALLS', 'RESTARTS', 'DESCRIPTION'];

function toRow(skill: SkillStatusReport): string[] {
  return [
    skill.name,
    skill.version || '-',
    skill.state,
    skill.isolation ?? '-',
    toMib(skill.memoryBytes),
    String(skill.calls),
    String(skill.restarts),
    skill.error?.split('\n')[0] ?? skill.description,
  ];
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(`"${text}" is no whole number above 0`);
  return value;
}

function collectParameter(text: string, previous: (string | number | null)[]): (string | number | null)[] {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // Text that is no JSON is text.
  }
  const scalar = typeof value === 'number' || typeof value === 'string' || value === null;
  return [...previous, scalar ? (value as string | number | null) : text];
}
