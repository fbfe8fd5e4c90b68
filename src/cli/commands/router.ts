import { Command, InvalidArgumentError } from 'commander';
import type { EvaluationReport, Explanation, FeedbackRecord, SkillExplanation } from '../../router/index.ts';
import { toTable } from '../table.ts';
import { withOperations } from '../with-operations.ts';

interface Flags {
  json?: boolean;
}

/** Contributions that are shown of each skill. */
const SHOWN = 6;

/** `phoenix router ...` */
export function routerCommand(): Command {
  const router = new Command('router').description('Which skills a request is sent to, why, and how well that works.');
  router
    .command('explain')
    .description('Scores of all skills for a text, and the words and letters that decided.')
    .argument('<text...>')
    .option('--json', 'print JSON')
    .action((words: string[], { json }: Flags, command: Command) =>
      withOperations(command, async (operations) => {
        const explanation = await operations.explainRoute(words.join(' '));
        process.stdout.write(json ? toJson(explanation) : toText(explanation));
      }),
    );
  router
    .command('train')
    .description('Train with the examples of all manifests and the feedback; a start does it, too, when they changed.')
    .option('--json', 'print JSON')
    .action(({ json }: Flags, command: Command) =>
      withOperations(command, async (operations) => {
        const report = await operations.trainRouter();
        const { skills, feedback, seconds, isNew } = report;
        const what = isNew ? 'trained' : 'nothing is new: the router stays as it is';
        const text = `${what}, for ${skills.join(', ') || 'no skill'}; ${feedback} records of feedback, ${seconds.toFixed(2)} s\n`;
        process.stdout.write(json ? toJson(report) : text);
      }),
    );
  router
    .command('eval')
    .description('How well the router routes requests that it was not trained with.')
    .option('--json', 'print JSON')
    .action(({ json }: Flags, command: Command) =>
      withOperations(command, async (operations) => {
        const report = await operations.evaluateRouter();
        process.stdout.write(json ? toJson(report) : toTables(report));
      }),
    );
  router.addCommand(feedbackCommand());
  return router;
}

function feedbackCommand(): Command {
  const feedback = new Command('feedback').description('What users said about requests. It never leaves this machine.');
  feedback
    .command('list')
    .description('The newest first.')
    .option('--limit <n>', 'at most so many', count, 50)
    .option('--json', 'print JSON')
    .action(({ limit, json }: Flags & { limit: number }, command: Command) =>
      withOperations(command, async (operations) => {
        const records = await operations.listFeedback(limit);
        const text = records.length === 0 ? 'there is no feedback\n' : toTable(HEADINGS, records.map(toRow));
        process.stdout.write(json ? toJson(records) : text);
      }),
    );
  feedback
    .command('clear')
    .description('Delete one record, or all; what was learned from it is forgotten at the next training.')
    .argument('[id]', 'number of the record; without it, all', count)
    .action((id: number | undefined, _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write(`deleted: ${await operations.clearFeedback(id)}\n`);
      }),
    );
  feedback
    .command('give')
    .description('Say which skills are right for a text.')
    .argument('<text>')
    .argument('[skills...]', 'none: no skill is right')
    .action((text: string, skills: string[], _options: object, command: Command) =>
      withOperations(command, async (operations) => {
        process.stdout.write(`kept as number ${await operations.giveFeedback({ text, skills })}\n`);
      }),
    );
  return feedback;
}

const HEADINGS = ['ID', 'WHEN', 'SIGNAL', 'RIGHT', 'WRONG', 'TEXT'];

function toRow({ id, at, signal, skills, wrong, text }: FeedbackRecord): string[] {
  const right = skills.join(', ') || '-';
  return [String(id), new Date(at).toISOString().slice(0, 19), signal, right, wrong?.join(', ') ?? 'all others', text];
}

function toText({ skills, threshold, topK }: Explanation): string {
  if (skills.length === 0) return 'no skill has examples: there is nothing to route to\n';
  const chosen = skills.filter((skill) => skill.chosen).map(({ skill }) => skill);
  const head = `${chosen.length > 0 ? `goes to ${chosen.join(', ')}` : 'goes to no skill'} (from ${threshold} on, at most ${topK})\n\n`;
  const scores = toTable(
    ['SKILL', 'SCORE', 'CHOSEN'],
    skills.map(({ skill, score, chosen: isChosen }) => [skill, score.toFixed(3), isChosen ? 'yes' : 'no']),
  );
  return `${head}${scores}\n${skills.map(reasonsOf).join('')}`;
}

/** "sql: bias -0.42; for: tabla +1.20, ...; against: ..." */
function reasonsOf({ skill, bias, features }: SkillExplanation): string {
  const list = (isFor: boolean) =>
    features
      .filter(({ contribution }) => contribution > 0 === isFor)
      .slice(0, SHOWN)
      .map(({ feature, contribution }) => `"${feature}" ${signed(contribution)}`)
      .join(', ') || '-';
  return `${skill}: ${signed(bias)} to begin with\n  for:     ${list(true)}\n  against: ${list(false)}\n`;
}

const signed = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(2)}`;
const percent = (value: number) => (Number.isNaN(value) ? '-' : `${(100 * value).toFixed(1)}%`);

function toTables({ threshold, ...parts }: EvaluationReport): string {
  const rows = Object.entries(parts).flatMap(([language, { skills }]) =>
    Object.entries(skills).map(([skill, { requests, accuracy, precision, recall, f1 }]) => [
      language,
      skill,
      String(requests),
      ...[accuracy, precision, recall, f1].map(percent),
    ]),
  );
  const { exact, examples, brier, ece } = parts.all;
  return [
    toTable(['LANGUAGE', 'SKILL', 'REQUESTS', 'ACCURACY', 'PRECISION', 'RECALL', 'F1'], rows),
    `exactly the right skills: ${percent(exact)} of ${examples} requests (from a score of ${threshold} on)\n`,
    `calibration: Brier ${brier.toFixed(4)}, ECE ${ece.toFixed(4)}\n`,
  ].join('\n');
}

function toJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError(`"${text}" is no whole number above 0`);
  return value;
}
