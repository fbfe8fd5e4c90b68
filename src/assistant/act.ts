import type { Outcome, Understanding } from '../language/index.ts';
import type { EntityMemory, NewFact, Pattern, Triple } from '../memory/index.ts';
import type { ChatAnswer } from './operations.ts';

/** Most facts that one answer is made from. */
const ANSWER_FACTS = 50;
/** Under which verb the name of a subject is stored. */
const NAME_VERB = 'se_llama';

/** What was done with the memory. */
export interface Act extends Outcome {
  stored: NewFact[];
  recalled: Triple[];
  memory: ChatAnswer['memory'];
}

/** Does what was understood: stores, retracts, looks up or forgets. */
export async function act(memory: EntityMemory, understood: Understanding): Promise<Act> {
  const result: Act = { stored: [], recalled: [], forgotten: 0, retracted: 0, memory: undefined };
  switch (understood.kind) {
    case 'statement':
      for (const pattern of understood.retract) result.retracted += await memory.retract(pattern);
      if (understood.facts.length > 0) await memory.storeMany(understood.facts);
      return { ...result, stored: understood.facts };
    case 'question':
      for (const pattern of understood.patterns) {
        const found = await recall(memory, pattern);
        if (found.recalled.length > 0) return { ...result, ...found };
      }
      return result;
    case 'forget':
      for (const pattern of understood.patterns) result.forgotten += await memory.forget(pattern);
      return result;
    default:
      return result;
  }
}

/** Recalls what matches; a subject that was asked for by name is also known as "sister", and the other way round. */
async function recall(memory: EntityMemory, pattern: Pattern): Promise<Pick<Act, 'recalled' | 'memory'>> {
  const { triples, from } = await memory.recall({ ...pattern, limit: ANSWER_FACTS });
  if (triples.length > 0 || pattern.subject === undefined || pattern.verb === NAME_VERB) {
    return { recalled: triples, memory: from };
  }
  const named = await memory.recall({ verb: NAME_VERB, object: pattern.subject, limit: 2 });
  const names = await memory.recall({ subject: pattern.subject, verb: NAME_VERB, limit: 2 });
  const aliases = [...named.triples.map(({ subject }) => subject), ...names.triples.map(({ object }) => object)];
  const [alias] = aliases;
  // Two people of one name: it is not clear who is meant.
  if (alias === undefined || aliases.length > 1) return { recalled: [], memory: from };
  const page = await memory.recall({ ...pattern, subject: alias, limit: ANSWER_FACTS });
  return { recalled: page.triples, memory: page.from };
}
