import { GenerationError } from './error.ts';

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array']);
/** What changes which shapes are allowed, and no grammar here can say. */
const UNSUPPORTED = ['allOf', 'not', 'if', 'patternProperties', 'dependentSchemas', 'unevaluatedProperties'];
/** Deeper schemas are refused. */
const MAX_DEPTH = 32;

type Schema = Readonly<Record<string, unknown>>;

/**
 * A JSON schema as node-llama-cpp makes grammars of it. The shape is held to: types, properties (all of them are written, in their
 * order), items, enum, const, lengths, `anyOf` and `oneOf`, references to `#/$defs`. Limits of values, such as `minimum` and
 * `pattern`, are not.
 *
 * @throws GenerationError that names the place of what cannot be held to
 */
export function grammarSchema(schema: unknown, path = '', depth = 0): object {
  const refuse = (what: string): never => {
    throw new GenerationError('invalid', `the JSON schema cannot be used: ${path || '/'}: ${what}`, {
      param: 'response_format',
    });
  };
  if (depth > MAX_DEPTH) refuse(`more than ${MAX_DEPTH} levels`);
  // An empty schema and `true` allow everything.
  if (schema === true) return {};
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return refuse('it is no schema');
  const { type, anyOf, oneOf = anyOf, ...rest } = schema as Schema;
  const unsupported = UNSUPPORTED.find((key) => key in rest);
  if (unsupported !== undefined) refuse(`"${unsupported}" is not supported`);
  const unknown = (Array.isArray(type) ? type : [type]).find((name) => name !== undefined && !TYPES.has(name));
  if (unknown !== undefined) refuse(`there is no type ${JSON.stringify(unknown)}`);
  if (typeof rest.$ref === 'string' && !rest.$ref.startsWith('#/$defs/')) refuse(`"${rest.$ref}" is not in #/$defs`);
  const inner = (value: unknown, key: string) => grammarSchema(value, `${path}/${key}`, depth + 1);
  const each = (value: unknown, key: string) => {
    if (!Array.isArray(value) || value.length === 0) return refuse(`"${key}" must be a list`);
    return value.map((item, n) => inner(item, `${key}/${n}`));
  };
  const named = (value: unknown, key: string) => {
    if (typeof value !== 'object' || value === null) return refuse(`"${key}" must be an object`);
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item, `${key}/${name}`)]));
  };
  return {
    ...rest,
    ...(type === undefined ? {} : { type }),
    ...(oneOf === undefined ? {} : { oneOf: each(oneOf, anyOf === undefined ? 'oneOf' : 'anyOf') }),
    ...(rest.properties === undefined ? {} : { properties: named(rest.properties, 'properties') }),
    ...(rest.$defs === undefined ? {} : { $defs: named(rest.$defs, '$defs') }),
    ...(rest.items === undefined ? {} : { items: inner(rest.items, 'items') }),
    ...(rest.prefixItems === undefined ? {} : { prefixItems: each(rest.prefixItems, 'prefixItems') }),
  };
}
