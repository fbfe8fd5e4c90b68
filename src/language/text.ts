/** Sentences and tokens. A token keeps its place in the source, so that names are always quoted back as they were written. */

/** A word, or a mark that separates words. */
export interface Token {
  /** The whole sentence that the token is a part of. */
  source: string;
  start: number;
  end: number;
  /** Lower case, accents kept: tells "él" from "el". */
  lower: string;
  /** Lower case without accents; English contractions are expanded ("n't" is "not"). */
  norm: string;
}

export interface Sentence {
  text: string;
  /** It carries a question mark. */
  asks: boolean;
}

/** Lower case, without accents, with straight apostrophes. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  for (let i = 0; i < lower.length; i++) {
    if (lower.charCodeAt(i) > 126) {
      return lower
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .replaceAll('’', "'");
    }
  }
  return lower;
}

/** The source text from the first to the last token, exactly as written. */
export function textOf(tokens: readonly Token[]): string {
  const first = tokens[0];
  const last = tokens.at(-1);
  return first && last ? first.source.slice(first.start, last.end) : '';
}

/** The normalised words, joined by a space. */
export function normOf(tokens: readonly Token[]): string {
  return tokens.map((token) => token.norm).join(' ');
}

const ABBREVIATIONS = new Set(['sr', 'sra', 'srta', 'dr', 'dra', 'd', 'dna', 'mr', 'mrs', 'ms', 'st', 'prof', 'c', 'avda', 'av', 'n', 'jr', 'no', 'ud']);
const isSpace = (char: string | undefined) => char === undefined || /\s/.test(char);

function isAbbreviation(text: string, dot: number): boolean {
  if (dot + 1 >= text.length) return false;
  let start = dot;
  while (start > 0 && !isSpace(text[start - 1])) start--;
  const word = fold(text.slice(start, dot));
  return ABBREVIATIONS.has(word) || /^\p{L}$/u.test(word);
}

/** Splits at line ends and at `.`, `!`, `?` and `…` before a space; not inside quotes and not after abbreviations. */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  let start = 0;
  let asks = false;
  let quote: string | undefined;
  const close = (end: number) => {
    const sentence = text.slice(start, end).trim();
    if (sentence !== '') sentences.push({ text: sentence, asks });
    start = end;
    asks = false;
    quote = undefined;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    if (char === '\n') close(i + 1);
    else if (quote !== undefined) {
      if (char === quote) quote = undefined;
    } else if (char === '"' || char === '“' || char === '«') {
      const mate = char === '“' ? '”' : char === '«' ? '»' : '"';
      if (text.includes(mate, i + 1)) quote = mate;
    } else if (char === '¿') asks = true;
    else if (char === '.' || char === '!' || char === '?' || char === '…') {
      if (char === '?') asks = true;
      const next = text[i + 1];
      const ends = isSpace(next) || next === '¿' || next === '¡';
      if (ends && !(char === '.' && isAbbreviation(text, i))) close(i + 1);
    }
  }
  close(text.length);
  return sentences;
}

const SUFFIXES: readonly (readonly [RegExp, string])[] = [
  [/['’]s$/i, "'s"],
  [/['’]m$/i, 'am'],
  [/['’]re$/i, 'are'],
  [/['’]ve$/i, 'have'],
  [/['’]ll$/i, 'will'],
  [/['’]d$/i, 'would'],
];
/** Contractions typed without their apostrophe: where to cut, and what the two parts mean. */
const SLOPPY = new Map<string, readonly [number, string, string]>([
  ['im', [1, 'i', 'am']],
  ['ive', [1, 'i', 'have']],
  ['dont', [2, 'do', 'not']],
  ['doesnt', [4, 'does', 'not']],
  ['isnt', [2, 'is', 'not']],
  ['arent', [3, 'are', 'not']],
  ['whats', [4, 'what', "'s"]],
  ['wheres', [5, 'where', "'s"]],
  ['whos', [3, 'who', "'s"]],
  ['hows', [3, 'how', "'s"]],
]);
const IRREGULAR_NOT = new Map([
  ['ca', 'can'],
  ['wo', 'will'],
]);

function pushWord(out: Token[], source: string, start: number, end: number): void {
  const text = source.slice(start, end);
  const push = (from: number, to: number, norm?: string) => {
    const part = source.slice(from, to);
    out.push({ source, start: from, end: to, lower: part.toLowerCase(), norm: norm ?? fold(part) });
  };
  const sloppy = SLOPPY.get(text.toLowerCase());
  if (sloppy) {
    push(start, start + sloppy[0], sloppy[1]);
    push(start + sloppy[0], end, sloppy[2]);
    return;
  }
  if (/\wn['’]t$/i.test(text)) {
    const stem = fold(text.slice(0, -3));
    push(start, end - 3, IRREGULAR_NOT.get(stem) ?? stem);
    push(end - 3, end, 'not');
    return;
  }
  for (const [suffix, norm] of SUFFIXES) {
    const at = text.search(suffix);
    if (at > 0) {
      push(start, start + at);
      push(start + at, end, norm);
      return;
    }
  }
  if (/\p{L}s['’]$/iu.test(text)) {
    push(start, end - 1);
    push(end - 1, end, "'s");
    return;
  }
  push(start, end);
}

/** Words and separators (`,` also for `;`, and `:`) of one sentence, without its opening and closing marks. */
export function tokenize(sentence: string): Token[] {
  const tokens: Token[] = [];
  let limit = sentence.length;
  while (limit > 0 && /[\s?!…]/.test(sentence[limit - 1] ?? '')) limit--;
  if (sentence[limit - 1] === '.') {
    const lastWord = sentence.slice(sentence.lastIndexOf(' ', limit) + 1, limit);
    if (!/^\p{Lu}[\p{L}]{0,3}\.(\p{L}{1,3}\.)+$/u.test(lastWord)) while (limit > 0 && /[.\s]/.test(sentence[limit - 1] ?? '')) limit--;
  }
  for (const match of sentence.slice(0, limit).matchAll(/\S+/g)) {
    let start = match.index;
    let end = start + match[0].length;
    while (start < end && /[¿¡]/.test(sentence[start] ?? '')) start++;
    const marks: number[] = [];
    while (end > start && /[,;:]/.test(sentence[end - 1] ?? '')) {
      const mark = sentence[end - 1];
      const before = sentence[end - 2] ?? ' ';
      if (mark === ';' && !/[\p{L}\p{N}]/u.test(before)) break;
      marks.push(--end);
    }
    if (end > start) pushWord(tokens, sentence, start, end);
    for (const at of marks.reverse()) {
      const mark = sentence[at] === ':' ? ':' : ',';
      tokens.push({ source: sentence, start: at, end: at + 1, lower: mark, norm: mark });
    }
  }
  return tokens;
}

const LOWER = /^\p{Ll}/u;

/** True for a word that is written as a name: it does not start with a lower-case letter, and is no separator. */
export function isNameLike(token: Token): boolean {
  return token.norm !== ',' && token.norm !== ':' && !LOWER.test(token.source.slice(token.start, token.start + 2));
}
