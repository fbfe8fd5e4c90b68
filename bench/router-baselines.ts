/** What the router is compared with: words that somebody wrote down, and the mean of what was seen. */
import { type Example, HashedFeatures, type SparseVector } from '../src/router/index.ts';

/** A score for each skill. */
export type Scorer = (text: string) => number[];

/** What a person would write down who knows the skills. */
const KEYWORDS: Record<string, RegExp> = {
  sql: /\b(sql|select|insert|update|delete|from|join|tablas?|tables?|filas?|rows?|columnas?|columns?|registros?|records?|base de datos|database|query|consulta\w*|cuantos|cuantas|how many|recuerda\w*|remember|acuerda\w*|olvida\w*|forget|apunta|anota|mi|mis|my|me llamo|vive\w*|live\w*|trabaj\w*|works?|se llama|is called)\b/,
  draft:
    /\b(escrib\w*|redact\w*|write|draft|compon\w*|compose|poem\w*|cuento|story|historia|parrafo|paragraph|carta|letter|correo|email|borrador|continua\w*|continue|complet\w*|termina|finish|resum\w*|summari\w*|reescrib\w*|rewrite|rephrase|texto?s?|inventa\w*|titulo|title|discurso|speech)\b/,
  'patch-sandbox':
    /\b(parche\w*|patch\w*|diff|hunk|sandbox|tests?|pruebas|compila\w*|build\w*|compile\w*|merge|pull request|pr|commit|aplica\w*|apply|rama|branch|git)\b/,
};

/** Skills whose words stand in the text. */
export function keywordBaseline(names: readonly string[]): [Scorer, threshold: number] {
  const plain = (text: string) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return [(text) => names.map((name) => (KEYWORDS[name]?.test(plain(text)) ? 1 : 0)), 0.5];
}

/** The cosine with the mean of a skill's examples; the threshold is the one that does best on these. */
export function centroidBaseline(examples: readonly Example[], names: readonly string[]): [Scorer, threshold: number] {
  const features = new HashedFeatures();
  const centroids = names.map((name) =>
    meanOf(
      examples.filter(({ skills }) => skills.includes(name)).map(({ text }) => features.featurize(text)),
      features.dimension,
    ),
  );
  const scorer: Scorer = (text) => {
    const vector = features.featurize(text);
    const length = Math.hypot(...vector.values.subarray(1)) || 1;
    return centroids.map((centroid) => {
      let sum = 0;
      for (let n = 1; n < vector.indices.length; n++)
        sum += (centroid[vector.indices[n] ?? 0] ?? 0) * (vector.values[n] ?? 0);
      return sum / length;
    });
  };
  const scored = examples.map(({ text, skills }) => ({ scores: scorer(text), skills }));
  const rightWith = (threshold: number) =>
    scored.filter(({ scores, skills }) =>
      names.every((name, n) => (scores[n] ?? 0) >= threshold === skills.includes(name)),
    ).length;
  const thresholds = Array.from({ length: 100 }, (_, n) => n / 200);
  return [scorer, thresholds.reduce((best, next) => (rightWith(next) > rightWith(best) ? next : best))];
}

/** The mean, of length 1, the bias left aside. */
function meanOf(vectors: readonly SparseVector[], dimension: number): Float64Array {
  const sum = new Float64Array(dimension);
  for (const { indices, values } of vectors)
    for (let n = 1; n < indices.length; n++) sum[indices[n] ?? 0] = (sum[indices[n] ?? 0] ?? 0) + (values[n] ?? 0);
  const length = Math.hypot(...sum) || 1;
  return sum.map((value) => value / length);
}
