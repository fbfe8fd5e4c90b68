import { setTimeout as sleep } from 'node:timers/promises';
import { type Draft, type DraftStream, uniform } from '../../src/speculative/index.ts';

/** What a scripted draft says next. `certain`: the tokens of the generation so far, prompt included. */
export type Script = (certain: readonly number[], count: number) => readonly number[];

export interface ScriptedOptions {
  /** Milliseconds before it answers. */
  delayMs?: number;
  /** It is dead after so many proposals; dying, it returns what it has. */
  livesFor?: number;
}

/** A draft that says what a script says, late or for a while only, if so told. */
export function scriptedDraft(
  name: string,
  script: Script,
  { delayMs = 0, livesFor = Infinity }: ScriptedOptions = {},
) {
  const draft = {
    name,
    opened: 0,
    closed: 0,
    asked: 0,
    open(prompt: readonly number[]): DraftStream {
      draft.opened++;
      const certain = prompt.slice();
      let asked = 0;
      return {
        get alive() {
          return asked < livesFor;
        },
        commit: (tokens) => void certain.push(...tokens),
        async propose(count, waitMs) {
          draft.asked++;
          if (asked++ >= livesFor) return [];
          if (delayMs > 0) await sleep(Math.min(delayMs, waitMs));
          return delayMs > waitMs ? [] : script(certain, count);
        },
        close: () => void draft.closed++,
      };
    },
  };
  return draft satisfies Draft;
}

/** Knows the whole text, prompt included, and is wrong once in a while. */
export function oracle(text: readonly number[], vocabularySize: number, rightShare = 1): Script {
  return (certain, count) =>
    text.slice(certain.length, certain.length + count).map((token, n) => {
      const isRight = uniform(99, certain.length, n) < rightShare;
      return isRight ? token : (token + 1) % vocabularySize;
    });
}

/** Tokens at random, among them some that are none. */
export function nonsense(vocabularySize: number): Script {
  return (certain, count) =>
    Array.from({ length: count + 1 }, (_, n) => Math.floor(uniform(5, certain.length, n) * (vocabularySize + 1)));
}

/** Waits for a draft as long as it takes, so that a busy machine does not keep it from being tested. */
export function patient(draft: Draft): Draft {
  return {
    name: draft.name,
    open(prompt, options) {
      const stream = draft.open(prompt, options);
      return {
        get alive() {
          return stream.alive;
        },
        commit: (tokens) => stream.commit(tokens),
        propose: (count) => stream.propose(count, 10_000),
        close: () => stream.close(),
      };
    },
  };
}
