/**
 * `npm run bench -- router`: the router on requests that it was not trained with, beside keyword rules and the nearest centroid; how long a
 * decision and the training take. Prints the tables of docs/router.md.
 */
import { join } from 'node:path';
import { readCatalog } from '../src/manifest/index.ts';
import {
  DEFAULT_THRESHOLD,
  type Example,
  HashedFeatures,
  heldOutCorpus,
  type Quality,
  qualityOf,
  type RoutedSkill,
  Router,
  type Scored,
  trainingCorpus,
  trainModel,
} from '../src/router/index.ts';
import { Figures, median, percentile, report, timesOf } from './measure.ts';
import { centroidBaseline, keywordBaseline, type Scorer } from './router-baselines.ts';

const SKILLS_FOLDER = join(import.meta.dirname, '../skills');
const NAMES = ['draft', 'patch-sandbox', 'sql'];
/** Times that are taken. */
const RUNS = 200_000;
const LANGUAGES = ['es', 'en'] as const;

export async function benchRouter({ quick }: { quick: boolean }): Promise<Figures> {
  const figures = new Figures();
  const features = new HashedFeatures();
  const skills = routedSkills();
  const corpus = trainingCorpus();
  const train = () => trainModel({ featurizer: features, skills, corpus }, 'bench');
  const rounds = quick ? 1 : 5;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await train();
    figures.add('training, calibration included', 'ms', performance.now() - begun);
  }
  const router = new Router(features, await train());
  const byRouter: Scorer = (text) => {
    const { scores } = router.decideOn(features.featurize(text));
    return NAMES.map((name) => scores.find(({ skill }) => skill === name)?.score ?? 0);
  };
  const told = [...skills.flatMap(examplesOf), ...corpus];
  const ways: [string, Scorer, number][] = [
    ['router', byRouter, DEFAULT_THRESHOLD],
    ['nearest centroid', ...centroidBaseline(told, NAMES)],
    ['keyword rules', ...keywordBaseline(NAMES)],
  ];
  tell(ways, figures);

  const texts = heldOutCorpus().map(({ text }) => text);
  await measure('a decision', texts, quick, router, features, figures);
  await measure(
    'a decision on a text of 100,000 characters',
    ['aplica este diff '.repeat(6000)],
    quick,
    router,
    features,
    figures,
  );
  process.stdout.write(
    report(
      'time',
      figures.all().filter(({ unit }) => unit !== '%'),
    ),
  );
  return figures;
}

/** The skills of Phoenix; of one that is not here the corpus has requests. */
function routedSkills(): RoutedSkill[] {
  const { skills } = readCatalog([SKILLS_FOLDER]);
  return NAMES.map((name) => ({ name, examples: skills.get(name)?.examples ?? [] }));
}

function examplesOf({ name, examples }: RoutedSkill): Example[] {
  return examples.map(({ text }) => ({ text, skills: [name] }));
}

function evaluate(scorer: Scorer, examples: readonly Example[], threshold: number): Quality {
  const scored = examples.map(
    ({ text, skills }): Scored => ({
      scores: scorer(text),
      labels: NAMES.map((name) => Number(skills.includes(name))),
    }),
  );
  return qualityOf(NAMES, scored, threshold);
}

/** Prints how good each way is, as tables in Markdown. */
function tell(ways: readonly [string, Scorer, number][], figures: Figures): void {
  const percent = (value: number) => (100 * value).toFixed(1);
  const rows: string[] = [];
  const sums: string[] = [];
  const count = heldOutCorpus().length;
  for (const [way, scorer, threshold] of ways) {
    for (const language of LANGUAGES) {
      const examples = heldOutCorpus().filter((each) => each.language === language);
      const { skills, exact } = evaluate(scorer, examples, threshold);
      for (const [skill, { requests, accuracy, precision, recall, f1 }] of Object.entries(skills)) {
        const shown = [accuracy, precision, recall, f1].map(percent).join(' | ');
        rows.push(`| ${way} | ${language} | \`${skill}\` | ${requests} | ${shown} |`);
        figures.add(`${way}: F1 of ${skill}, ${language}`, '%', 100 * f1);
      }
      const none = examples.filter((each) => each.skills.length === 0);
      const quiet = evaluate(scorer, none, threshold).exact;
      rows.push(`| ${way} | ${language} | none | ${none.length} | ${percent(quiet)} | | | |`);
      figures.add(`${way}: exactly right, ${language}`, '%', 100 * exact);
    }
    const all = evaluate(scorer, heldOutCorpus(), threshold);
    const slips = evaluate(scorer, heldOutCorpus().map(withSlip), threshold);
    const isProbability = way === 'router';
    sums.push(
      `| ${way} | ${percent(all.exact)} | ${percent(slips.exact)} | ${isProbability ? all.brier.toFixed(4) : ''} | ${isProbability ? all.ece.toFixed(4) : ''} |`,
    );
    figures.add(`${way}: exactly right`, '%', 100 * all.exact);
    figures.add(`${way}: exactly right, with slips`, '%', 100 * slips.exact);
  }
  process.stdout.write(
    [
      `| ${count} requests | exactly the right skills, % | each longer word with a slip, % | Brier | ECE |`,
      '|---|---|---|---|---|',
      ...sums,
      '',
      '| | language | skill | requests | accuracy, % | precision, % | recall, % | F1, % |',
      '|---|---|---|---|---|---|---|---|',
      ...rows,
      '',
      '',
    ].join('\n'),
  );
}

/** Two letters of each word of five or more the wrong way round. */
function withSlip(example: Example): Example {
  return { ...example, text: example.text.replaceAll(/(\p{L}{2})(\p{L})(\p{L})(?=\p{L})/gu, '$1$3$2') };
}

async function measure(
  name: string,
  texts: readonly string[],
  quick: boolean,
  router: Router,
  features: HashedFeatures,
  figures: Figures,
): Promise<void> {
  const decide = (n: number) => router.decideOn(features.featurize(texts[n % texts.length] ?? ''));
  await timesOf(5000, decide);
  const times = await timesOf(quick ? 20_000 : RUNS, decide);
  figures.add(`${name}, p50`, 'us', median(times));
  figures.add(`${name}, p99`, 'us', percentile(times, 0.99));
}
