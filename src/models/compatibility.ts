import type { Vocabulary } from './inspect.ts';

/** How many tokens that differ are named. */
const NAMED = 3;

/**
 * Whether a draft can propose for a target: only if every token id means the same to both. A draft with another vocabulary would
 * be wrong about almost everything, which costs time.
 *
 * @returns what differs, for people; empty when they go together
 */
export function differences(target: Vocabulary, draft: Vocabulary): string[] {
  if (target.hash === draft.hash) return [];
  const found: string[] = [];
  const compare = (what: string, a: unknown, b: unknown) => {
    if (a !== b) found.push(`${what}: ${show(a)} in the target, ${show(b)} in the draft`);
  };
  compare('tokenizer', target.tokenizer, draft.tokenizer);
  compare('number of tokens', target.size, draft.size);
  const common = Math.min(target.size, draft.size);
  found.push(
    ...differingTokens('texts', target.texts.slice(0, common), draft.texts.slice(0, common)),
    ...differingTokens('types', target.types.slice(0, common), draft.types.slice(0, common)),
  );
  compare('token that begins a text', target.bos, draft.bos);
  compare('token that ends a text', target.eos, draft.eos);
  compare('whether texts begin with that token', target.addBos, draft.addBos);
  return found;
}

function differingTokens(what: string, target: readonly unknown[], draft: readonly unknown[]): string[] {
  const ids = target.flatMap((value, id) => (value === draft[id] ? [] : [id]));
  if (ids.length === 0) return [];
  const examples = ids.slice(0, NAMED).map((id) => `token ${id} is ${show(target[id])} and ${show(draft[id])}`);
  return [`${what} of ${ids.length} tokens: ${examples.join(', ')}${ids.length > NAMED ? ', ...' : ''}`];
}

function show(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
