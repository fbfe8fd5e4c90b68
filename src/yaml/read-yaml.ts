/** YAML files validated by a zod schema; every error names file, line and what is allowed. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';

const MAX_LENGTH = 1024 ** 2;
/** Each is a copy of what it names, and of what that names. */
const MAX_ALIASES = 100;
const MAX_PROBLEMS = 20;

/** What would break a line, or turn its direction, when it is shown. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A file that cannot be used as it is. `problems` has one line for each thing that is wrong. */
export class YamlFileError extends Error {
  override readonly name = 'YamlFileError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems
      .slice(0, MAX_PROBLEMS)
      .map((problem) => problem.replace(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`));
    if (problems.length > MAX_PROBLEMS) lines.push(`and ${problems.length - MAX_PROBLEMS} more problems`);
    super(lines.join('\n'));
    this.problems = lines;
  }
}

/** Reads and validates a file. @throws YamlFileError when it is missing, is not YAML, or does not fit the schema. */
export function readYamlFile<T extends z.ZodType>(path: string, schema: T): z.output<T> {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new YamlFileError([
      `${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message}`,
    ]);
  }
  return parseYaml(source, path, schema);
}

/** Validates YAML text; `name` stands for the file in errors. @throws YamlFileError */
export function parseYaml<T extends z.ZodType>(source: string, name: string, schema: T): z.output<T> {
  const lines = new LineCounter();
  const lineOf = (offset: number) => lines.linePos(offset).line;
  const [document, content] = readDocument(source, name, lines);
  const result = schema.safeParse(content ?? {});
  if (result.success) return result.data;
  throw new YamlFileError(
    result.error.issues.flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
      return keys.map((key) => {
        const path = key === undefined ? issue.path : [...issue.path, key];
        const where = path.map(String).join('.');
        const line = lineOf(offsetOf(document.contents, path) ?? 0);
        const what = key === undefined ? issue.message : `unknown key${allowedAt(schema, issue.path)}`;
        return `${name}:${line}: ${where === '' ? '' : `${where}: `}${what}`;
      });
    }),
  );
}

/** @returns the document and its content @throws YamlFileError when it is no YAML, or takes too much to read */
function readDocument(source: string, name: string, lineCounter: LineCounter): [Document, unknown] {
  const lineOf = (offset: number) => lineCounter.linePos(offset).line;
  if (source.length > MAX_LENGTH)
    throw new YamlFileError([`${name}: it has ${source.length} characters, and ${MAX_LENGTH} are allowed`]);
  try {
    // Its own look at equal keys compares each with each.
    const document = parseDocument(source, { lineCounter, logLevel: 'error', uniqueKeys: false });
    const errors = document.errors.map((error): [number, string] => [error.pos[0], error.message.split('\n')[0] ?? '']);
    const problems = errors.length > 0 ? errors : structuralProblems(document);
    if (problems.length > 0) throw new YamlFileError(problems.map(([at, what]) => `${name}:${lineOf(at)}: ${what}`));
    return [document, document.toJS({ maxAliasCount: MAX_ALIASES })];
  } catch (error) {
    if (error instanceof YamlFileError) throw error;
    // The stack has no more room, or copies of copies.
    throw new YamlFileError([`${name}: it is nested too deeply, or repeats too much: ${(error as Error).message}`]);
  }
}

/** Equal keys; aliases that name nothing, or what they are part of; too many of them. */
function structuralProblems(document: Document): [offset: number, what: string][] {
  const problems: [number, string][] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, {
    Node: (_, node) => {
      if ('anchor' in node && node.anchor) anchors.add(node.anchor);
    },
    Map: (_, map) => {
      if (map.anchor) anchors.add(map.anchor);
      const keys = new Set<unknown>();
      for (const { key } of map.items) {
        const value = isScalar(key) ? key.value : undefined;
        if (value !== undefined && keys.has(value)) {
          problems.push([(isNode(key) && key.range?.[0]) || 0, `Map keys must be unique: ${JSON.stringify(value)}`]);
        }
        keys.add(value);
      }
    },
    Alias: (_, { source, range }, path) => {
      const at = range?.[0] ?? 0;
      aliases++;
      if (!anchors.has(source)) problems.push([at, `there is no anchor for *${source}`]);
      else if (path.some((parent) => isNode(parent) && 'anchor' in parent && parent.anchor === source))
        problems.push([at, `*${source} is part of what it names`]);
      else if (aliases === MAX_ALIASES + 1) problems.push([at, `more than ${MAX_ALIASES} aliases are not read`]);
    },
  });
  return problems;
}

/** Where a value stands in the text; of a missing one, its nearest parent. */
function offsetOf(root: unknown, path: readonly PropertyKey[]): number | undefined {
  let node = root;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String(item.key) === String(key));
      if (!pair) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isNode(node) && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}

/** What matters here of a zod schema. */
interface SchemaNode {
  shape?: Record<string, SchemaNode>;
  def?: { innerType?: SchemaNode; in?: SchemaNode; valueType?: SchemaNode; element?: SchemaNode };
}

/** The keys that an object schema has at a path, as a hint. */
function allowedAt(schema: z.ZodType, path: readonly PropertyKey[]): string {
  let current: SchemaNode | undefined = unwrap(schema as SchemaNode);
  for (const key of path) {
    current = unwrap(current?.shape?.[String(key)] ?? current?.def?.valueType ?? current?.def?.element);
  }
  return current?.shape ? `; allowed here: ${Object.keys(current.shape).sort().join(', ')}` : '';
}

/** The schema inside defaults, optionals and transforms. */
function unwrap(schema: SchemaNode | undefined): SchemaNode | undefined {
  const inner = schema?.def?.innerType ?? schema?.def?.in;
  return inner && !schema?.shape ? unwrap(inner) : schema;
}
