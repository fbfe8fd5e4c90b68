import { defineSkill } from 'phoenix/skill';
import { type DraftModel, type DraftSequence, ModelDrafter } from '../../../skills/draft/drafting.ts';

const VOCABULARY_SIZE = 32_000;

/** What follows a token: nothing else counts. */
function nextOf(token: number): number {
  return (Math.imul(token, 2_654_435_761) >>> 8) % VOCABULARY_SIZE;
}

class InstantSequence implements DraftSequence {
  async read(): Promise<void> {}

  async next(tokens: readonly number[]): Promise<readonly number[]> {
    return [nextOf(tokens.at(-1) ?? 0)];
  }

  async rollBack(): Promise<void> {}
}

const model: DraftModel = {
  name: 'instant',
  vocabularyHash: 'bench',
  vocabularySize: VOCABULARY_SIZE,
  contextSize: 2 ** 30,
  atOnce: 1,
  sequences: [new InstantSequence()],
};

export default defineSkill(() => ({
  /** The same without a stream: token ids of the whole text in, the next ones out. */
  infer({ prompt, maxTokens }) {
    const tokens = prompt.split(' ').map(Number);
    for (let n = 0; n < maxTokens; n++) tokens.push(nextOf(tokens.at(-1) ?? 0));
    return tokens.slice(-maxTokens).join(' ');
  },
  drafter: new ModelDrafter(model),
}));
