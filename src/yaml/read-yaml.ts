/** YAML files validated by a zod schema; every error names file, line and what is allowed. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';

/** What would break a line, or turn its direction, when it is shown. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A file that cannot be used as it is. `problems` has one line for each thing that is wrong. */
export class YamlFileError extends Error {
  override readonly name = 'YamlFileError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) =>
      problem.replace(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
    );
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
  const document = parseDocument(source, { lineCounter: lines, logLevel: 'error' });
  const lineOf = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    throw new YamlFileError(
      document.errors.map((error) => `${name}:${lineOf(error.pos[0])}: ${error.message.split('\n')[0]}`),
    );
  }
  const dangling = danglingAlias(document);
  if (dangling)
    throw new YamlFileError([`${name}:${lineOf(dangling.offset)}: there is no anchor for *${dangling.name}`]);
  const result = schema.safeParse(document.toJS() ?? {});
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

/** An alias that nothing was given the name of. */
function danglingAlias(document: Document): { name: string; offset: number } | undefined {
  let found: { name: string; offset: number } | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (!alias.resolve(document)) found ??= { name: alias.source, offset: alias.range?.[0] ?? 0 };
    },
  });
  return found;
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
