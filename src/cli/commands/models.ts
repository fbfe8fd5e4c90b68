import { Command, InvalidArgumentError } from 'commander';
import type { LoadedConfig } from '../../config/index.ts';
import {
  differences,
  estimateMemory,
  formatReference,
  inspectModel,
  MODEL_ROLES,
  ModelError,
  type ModelFacts,
  type ModelReference,
  type ModelRole,
  ModelStore,
  type Progress,
  parseReference,
  pullModel,
  readVocabulary,
} from '../../models/index.ts';
import { CliError } from '../errors.ts';
import { toMib, toTable } from '../table.ts';
import { configOf } from '../with-operations.ts';

/** How often the progress of a download is shown, in milliseconds; where nobody watches, and every line stays, less often. */
const PROGRESS_MS = process.stderr.isTTY ? 200 : 5000;
const CONTEXT_SIZE = 2048;

/** `phoenix models ...` */
export function modelsCommand(): Command {
  const models = new Command('models').description('Language models: what is used, what is here, and getting more.');
  models
    .command('list')
    .description('The models that are used, and those that were pulled.')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) => {
      const rows = listed(configOf(command));
      process.stdout.write(json ? toJson(rows) : toTable(HEADINGS, rows.map(toRow)));
    });
  models
    .command('pull')
    .description('Download models; without a name those that phoenix.yaml names.')
    .argument(
      '[model...]',
      'target, draft, https://HOST/FILE.gguf, hf:OWNER/REPO/FILE.gguf or hf:OWNER/REPO:QUANTIZATION',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nHF_TOKEN is used for models that are not public, HF_ENDPOINT for another hub.')
    .action((names: string[], { json }: { json?: boolean }, command: Command) => pull(names, json, configOf(command)));
  models
    .command('rm')
    .description('Delete a model that was pulled.')
    .argument('<model>', 'as it was pulled; see "phoenix models list"')
    .action((name: string, _options: object, command: Command) => {
      const config = configOf(command);
      const reference = referenceOf(name, config);
      const freed = ModelStore.of(config.state_dir).remove(reference);
      if (freed === undefined) throw new CliError(`${formatReference(reference)} was not pulled: nothing to delete`);
      process.stdout.write(`deleted: ${formatReference(reference)} (${toMib(freed)})\n`);
    });
  models
    .command('inspect')
    .description(
      'What a model is and what it needs, without loading it; of target and draft also whether they go together.',
    )
    .argument('[model]', 'target, draft, a file, or as it was pulled; default: target and draft')
    .option(
      '--context <tokens>',
      `length of the context to estimate the memory for (default: ${CONTEXT_SIZE} or less)`,
      parseContext,
    )
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: InspectOptions, command: Command) =>
      inspect(name, options, configOf(command)),
    );
  return models;
}

interface InspectOptions {
  context?: number;
  json?: boolean;
}

/** The model of a role, or what the name says. @throws ModelError */
function referenceOf(name: string, { models }: LoadedConfig): ModelReference {
  const role = MODEL_ROLES.find((each) => each === name);
  return parseReference(role === undefined ? name : models[role]);
}

interface Listed {
  role: ModelRole | undefined;
  model: string;
  path: string | undefined;
  size: number | undefined;
  quantization: string | undefined;
  /** Why it cannot be used. */
  error: string | undefined;
}

function listed(config: LoadedConfig): Listed[] {
  const store = ModelStore.of(config.state_dir);
  const used = MODEL_ROLES.map((role) => describe(store, parseReference(config.models[role]), role));
  const paths = new Set(used.map(({ path }) => path));
  const others = store.list().filter(({ path }) => !paths.has(path));
  return [...used, ...others.map(({ source }) => describe(store, parseReference(source), undefined))];
}

function describe(store: ModelStore, reference: ModelReference, role: ModelRole | undefined): Listed {
  const model = formatReference(reference);
  const nothing = { path: undefined, size: undefined, quantization: undefined, error: undefined };
  try {
    const path = store.resolve(reference, role ?? 'target');
    if (path === undefined) return { role, model, ...nothing };
    const { size, quantization } = inspectModel(path);
    return { role, model, path, size, quantization, error: undefined };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { role, model, ...nothing, error: error.message };
  }
}

const HEADINGS = ['ROLE', 'MODEL', 'SIZE', 'TYPE', 'FILE'];

function toRow({ role, model, path, size, quantization, error }: Listed): string[] {
  return [role ?? '-', model, toMib(size), quantization ?? '-', error ?? path ?? '-'];
}

async function pull(names: readonly string[], json: boolean | undefined, config: LoadedConfig): Promise<void> {
  const isRemote = ({ kind }: ModelReference) => kind === 'url' || kind === 'hub';
  const wanted =
    names.length > 0 ? names.map((name) => referenceOf(name, config)) : configured(config).filter(isRemote);
  if (wanted.length === 0) process.stderr.write('target and draft are here already: there is nothing to pull\n');
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort(new CliError('interrupted: pull again to go on from there'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const pulled = [];
  for (const reference of wanted) {
    const text = formatReference(reference);
    const { model, isNew } = await pullModel(reference, ModelStore.of(config.state_dir), {
      signal: interrupted.signal,
      onProgress: progressLine(text),
      onWait: () => process.stderr.write(`${text}: another process pulls it: waiting\n`),
    });
    pulled.push(model);
    const checked = model.verified ? 'checksum as published' : 'no checksum is published';
    if (!json)
      process.stdout.write(
        `${text}: ${isNew ? 'pulled' : 'is here'}, ${toMib(model.size)}, ${checked}\n  ${model.path}\n`,
      );
  }
  if (json) process.stdout.write(toJson(pulled));
}

function configured({ models }: LoadedConfig): ModelReference[] {
  return MODEL_ROLES.map((role) => parseReference(models[role]));
}

/** Shows the progress of a download on one line, as long as it takes. */
function progressLine(what: string): (progress: Progress) => void {
  const started = performance.now();
  let first: number | undefined;
  let shownAt = 0;
  return ({ received, total }) => {
    const now = performance.now();
    first ??= received;
    const isDone = received === total;
    if (now - shownAt < PROGRESS_MS && !isDone) return;
    shownAt = now;
    const rate = (received - first) / Math.max(1, now - started);
    const left = total === undefined || rate === 0 ? '' : `, ${Math.ceil((total - received) / rate / 1000)} s left`;
    const share = total === undefined ? '' : ` of ${toMib(total)} (${Math.floor((100 * received) / total)}%)`;
    const line = `${what}: ${toMib(received)}${share}, ${(rate / 1000).toFixed(1)} MB/s${left}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}${isDone ? '\n' : ''}` : `${line}\n`);
  };
}

async function inspect(
  name: string | undefined,
  { context, json }: InspectOptions,
  config: LoadedConfig,
): Promise<void> {
  const store = ModelStore.of(config.state_dir);
  const roles = name === undefined ? [...MODEL_ROLES] : [MODEL_ROLES.find((role) => role === name) ?? 'target'];
  const paths = roles.flatMap((role) => store.resolve(referenceOf(name ?? role, config), role) ?? []);
  if (paths.length === 0) throw new CliError('models are switched off: models.target and models.draft are "none"');
  const inspected = [];
  for (const path of paths) {
    const facts = inspectModel(path);
    const contextSize = context ?? Math.min(CONTEXT_SIZE, facts.contextLength ?? CONTEXT_SIZE);
    inspected.push({ ...facts, memory: { contextSize, ...(await estimateMemory(path, { contextSize })) } });
  }
  const [target, draft] = name === undefined ? paths : [];
  const pair = target && draft ? differences(readVocabulary(target), readVocabulary(draft)) : undefined;
  if (json) return void process.stdout.write(toJson({ models: inspected, differences: pair }));
  for (const { memory, ...facts } of inspected) {
    const needs = `${toMib(memory.total)}: ${toMib(memory.weights)} weights, ${toMib(memory.context)} for ${memory.contextSize} tokens`;
    process.stdout.write(`${facts.path}\n${toTable(...toFacts(facts, needs))}\n`);
  }
  if (pair?.length === 0) process.stdout.write('target and draft have the same vocabulary: the draft can propose\n');
  if (pair && pair.length > 0) throw new CliError(`target and draft do not go together: ${pair.join('; ')}`);
}

function toFacts(facts: ModelFacts, needs: string): [headings: string[], rows: string[][]] {
  const { name, architecture, parameters, quantization, size, contextLength, parallelTokens, vocabulary } = facts;
  const { size: tokens, tokenizer, hash } = vocabulary;
  return [
    ['name', name],
    [
      ['architecture', architecture],
      ['parameters', parameters.toLocaleString('en')],
      ['type', quantization],
      ['file', `${size.toLocaleString('en')} bytes`],
      ['context', contextLength === undefined ? '-' : `${contextLength} tokens`],
      ['vocabulary', `${tokens} tokens, ${tokenizer}, ${hash.slice(0, 12)}`],
      ...(parallelTokens === undefined ? [] : [['drafts', `${parallelTokens} tokens in one evaluation`]]),
      ['memory', needs],
    ],
  ];
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function parseContext(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(`"${text}" is no number of tokens`);
  return value;
}
