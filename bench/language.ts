/** `npm run bench -- language`: rules against the model nano, on held-out lines and on sentences written by hand. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Generator } from '../src/generation/index.ts';
import {
  type Answerer,
  CombinedAnswerer,
  CombinedUnderstander,
  type Language,
  RuleAnswerer,
  RuleUnderstander,
  type TextModel,
  type Understander,
  type Understanding,
} from '../src/language/index.ts';
import { taskPrompt } from '../src/language/model-understander.ts';
import { storedPattern, TASK_VERBS } from '../src/language/task-format.ts';
import { containsWords } from '../src/language/text.ts';
import { fold, type Pattern, type Triple } from '../src/memory/index.ts';
import { shippedModels } from '../src/models/index.ts';
import { Figures } from './measure.ts';

const ROOT = join(import.meta.dirname, '..');
const UNKNOWN = /^(No lo sé|I don't know|No lo sé:|I do not know)/;

interface Line {
  task: 'extract' | 'query' | 'answer';
  lang: Language;
  prompt: string;
  out: string;
}

const linesOf = (file: string): Line[] =>
  readFileSync(join(ROOT, 'models/nano', file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** The texts between the control tokens of a prompt. */
const partsOf = ({ prompt }: Line): [input: string, facts: string] => {
  const [, input = '', facts = ''] = /^<\|\w+\|>(.*?)(?:<\|facts\|>(.*))?<\|out\|>$/s.exec(prompt) ?? [];
  return [input, facts];
};

/** What the held-out lines call differently than the rules do. */
const SYNONYMS: Record<string, string> = { 'le encanta': 'le gusta', toca: 'juega a', 'trabaja de': 'es' };

const key = ({ subject, verb, object }: Pattern, negated = false) =>
  [subject, verb && (SYNONYMS[fold(verb)] ?? verb), object?.replace(/^(an?|the|el|la|los|las|una?) /i, '')]
    .map((part) => (part === undefined ? '?' : fold(part)))
    .concat(negated ? 'not' : [])
    .join('|');

/** What a message means, in one comparable line; empty when it says nothing that matters here. */
function meaning(understood: Understanding): string {
  if (understood.kind === 'statement')
    return [...understood.facts.map((fact) => key(fact)), ...understood.retract.map((fact) => key(fact, true))]
      .sort()
      .join(' ');
  return understood.kind === 'question' ? `? ${key(understood.patterns[0] ?? {})}` : '';
}

function goldMeaning({ task, lang, out }: Line): string {
  const said = JSON.parse(out);
  if (task === 'query') return Object.keys(said).length === 0 ? '' : `? ${key(storedPattern(said, lang) ?? {})}`;
  return (said as (Pattern & { negated?: boolean })[])
    .map(({ negated, ...fact }) => key(storedPattern(fact, lang) ?? {}, negated))
    .sort()
    .join(' ');
}

/** The facts of an answering prompt: "s v o; s v o". */
function factsOf(text: string, lang: Language): Triple[] {
  return text.split('; ').flatMap((fact) => {
    const words = fact.split(' ');
    const at = words.findIndex((word, n) => n > 0 && TASK_VERBS.includes(word));
    const said = { subject: words.slice(0, at).join(' '), verb: words[at], object: words.slice(at + 1).join(' ') };
    const stored = at > 0 ? storedPattern(said, lang) : undefined;
    const rest = { confidence: 1, source: 'user_input', firstSeen: 0, lastSeen: 0, count: 1, validFrom: 0 } as const;
    return stored ? [{ subject: '', verb: '', object: '', ...stored, ...rest, validTo: null }] : [];
  });
}

/** What an answer says: which of the facts, and yes, no or nothing. */
function said(answer: string, facts: readonly Triple[]): string {
  if (UNKNOWN.test(answer)) return 'unknown';
  const polarity = /^(sí|si|yes)\b/iu.test(answer) ? 'yes' : /^no\b/iu.test(answer) ? 'no' : '';
  return [polarity, ...facts.map(({ object }) => object).filter((object) => containsWords(answer, object))].join(' ');
}

/** Answers as the assistant does: from those of the facts that the question is understood to ask for. */
async function answerAsAssistant(understander: Understander, answerer: Answerer, input: string, facts: Triple[]) {
  const understood = await understander.understand(input);
  const matches = (pattern: Pattern) =>
    facts.filter((fact) =>
      (['subject', 'verb', 'object'] as const).every(
        (k) => pattern[k] === undefined || fold(pattern[k]) === fold(fact[k]),
      ),
    );
  const patterns = understood.kind === 'question' ? understood.patterns : [];
  const recalled = patterns.map(matches).find((found) => found.length > 0) ?? [];
  return answerer.answer(input, understood, { recalled, forgotten: 0, retracted: 0 });
}

export async function benchLanguage({ quick }: { quick: boolean }): Promise<Figures> {
  const figures = new Figures();
  const heldOut = linesOf('heldout.jsonl').slice(0, quick ? 120 : undefined);
  const changes = linesOf('heldout-changes.jsonl').slice(0, quick ? 30 : undefined);
  for (const role of ['target', 'draft'] as const) {
    await withModel(shippedModels(role), async (model) => {
      const rows = await exactMatches(model, [...heldOut, ...changes], changes);
      show(`nano ${role}: output exactly as expected`, rows, figures);
      if (role === 'target') await compare(model, heldOut, changes, figures);
    });
  }
  return figures;
}

async function withModel(file: string, run: (model: TextModel) => Promise<void>): Promise<void> {
  const settings = { gpu: 'off', threads: 1, contextSize: 512, parallel: 1, speculation: 'exact' } as const;
  const profileFile = join(tmpdir(), 'phoenix-bench-profiles.json');
  const generator = new Generator({ ...settings, profileFile, file: () => file, draft: () => undefined });
  try {
    await run(await generator.textModel());
  } finally {
    await generator.close();
  }
}

type Rows = Map<string, boolean[]>;
const count = (rows: Rows, name: string, isRight: boolean) => rows.set(name, [...(rows.get(name) ?? []), isRight]);

function show(title: string, rows: Rows, figures: Figures): void {
  process.stdout.write(`${title}\n`);
  for (const [name, right] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const share = (100 * right.filter(Boolean).length) / right.length;
    figures.add(`${title}: ${name}`, '%', share);
    process.stdout.write(`  ${name.padEnd(40)} ${share.toFixed(1).padStart(5)}% of ${right.length}\n`);
  }
  process.stdout.write('\n');
}

async function exactMatches(model: TextModel, lines: readonly Line[], changes: readonly Line[]): Promise<Rows> {
  const rows: Rows = new Map();
  for (const line of lines) {
    const [input, facts] = partsOf(line);
    const prompt = taskPrompt(line.task, input, line.task === 'answer' ? facts : undefined);
    const output = await model.complete(prompt, { maxTokens: 192, temperature: 0 });
    count(rows, `${changes.includes(line) ? 'changes' : line.task} ${line.lang}`, output === line.out);
  }
  return rows;
}

async function compare(model: TextModel, heldOut: readonly Line[], changes: readonly Line[], figures: Figures) {
  const rules = new RuleUnderstander();
  const loaded = async () => model;
  const ways: [string, Understander][] = (['rules', 'auto', 'model'] as const).map((use) => [
    use,
    new CombinedUnderstander({ rules, model: loaded, use }),
  ]);
  const understanding: Rows = new Map();
  for (const line of [...heldOut, ...changes]) {
    if (line.task === 'answer') continue;
    const wanted = goldMeaning(line);
    for (const [name, way] of ways) {
      const what = changes.includes(line) ? 'changes' : line.task;
      count(understanding, `${what} ${line.lang}, ${name}`, meaning(await way.understand(partsOf(line)[0])) === wanted);
    }
  }
  show('understanding held-out lines', understanding, figures);

  const byHand: Rows = new Map();
  for (const line of readFileSync(join(ROOT, 'src/language/sentences.txt'), 'utf8').trimEnd().split('\n')) {
    const [sentence = ''] = line.split('  =>  ');
    // The table is what the rules are tested against: they are right by definition.
    const wanted = meaning(rules.understand(sentence));
    const what = wanted === '' ? 'nothing to understand' : wanted.startsWith('?') ? 'questions' : 'statements';
    for (const [name, way] of ways) {
      if (name !== 'rules') count(byHand, `${what}, ${name}`, meaning(await way.understand(sentence)) === wanted);
    }
  }
  show('sentences.txt: as the rules read them', byHand, figures);

  const answering: Rows = new Map();
  const answererOf = (use: 'rules' | 'model') =>
    new CombinedAnswerer({ rules: new RuleAnswerer(), model: loaded, use });
  for (const line of heldOut.filter(({ task }) => task === 'answer')) {
    const [input, told] = partsOf(line);
    const facts = factsOf(told, line.lang);
    const wanted = said(line.out, facts);
    for (const [understanding, way] of ways) {
      for (const use of ['rules', 'model'] as const) {
        const text = await answerAsAssistant(way, answererOf(use), input, facts);
        count(
          answering,
          `${line.lang}, understood by ${understanding}, answered by ${use}`,
          said(text, facts) === wanted,
        );
      }
    }
    const byModel = await model.complete(taskPrompt('answer', input, told), { maxTokens: 128, temperature: 0 });
    count(answering, `${line.lang}, the model alone, with all facts`, said(byModel, facts) === wanted);
  }
  show('answering held-out questions: the right facts, yes or no', answering, figures);
}
