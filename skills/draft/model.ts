import { LlamaTarget, SpeculativeDecoder } from 'phoenix/generation';
import { type LoadedModel, loadModel } from 'phoenix/models';
import type { DraftConfig } from './config.ts';
import { ModelDrafter } from './drafting.ts';
import { LlamaDraftModel } from './llama-draft-model.ts';

/** Nobody proposes to the draft itself. */
const PLAIN = { mode: 'off', ngram: false, profile: { exactWidth: 1, verifyMs: [1] } } as const;

/** The model of this skill: loaded once, with memory of its own for texts and for drafting streams. */
export class SkillModel implements AsyncDisposable {
  /** For answers, for example "phoenix-nano-draft Q8_0". */
  readonly name: string;
  readonly target: LlamaTarget;
  readonly decoder: SpeculativeDecoder;
  readonly drafter: ModelDrafter;
  readonly #loaded: LoadedModel;
  readonly #draftModel: LlamaDraftModel;

  private constructor(name: string, loaded: LoadedModel, target: LlamaTarget, draftModel: LlamaDraftModel) {
    this.name = name;
    this.#loaded = loaded;
    this.target = target;
    this.#draftModel = draftModel;
    this.decoder = new SpeculativeDecoder({ target, ...PLAIN });
    this.drafter = new ModelDrafter(draftModel);
  }

  /** @throws ModelError when the file is damaged or does not fit, Error when the model cannot draft */
  static async open(path: string, { context_size, texts, drafts, threads }: DraftConfig): Promise<SkillModel> {
    const loaded = await loadModel(path, { contextSize: context_size, sequences: texts + drafts, threads });
    const { model, facts, contextSize } = loaded;
    try {
      const name = `${facts.name} ${facts.quantization}`;
      const target = await LlamaTarget.create(model, { contextSize, sequences: texts, threads });
      const draftModel = await LlamaDraftModel.create(name, model, { contextSize, sequences: drafts, threads });
      return new SkillModel(name, loaded, target, draftModel);
    } catch (error) {
      await loaded[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * @param special whether control tokens in the text are meant as such; a text that somebody else wrote must not hold any
   */
  tokenize(text: string, special: boolean): number[] {
    const { model } = this.#loaded;
    const { bos, shouldPrependBosToken } = model.tokens;
    const tokens = model.tokenize(text, special);
    return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drafter.idle();
    await this.target.dispose();
    await this.#draftModel.dispose();
    await this.#loaded[Symbol.asyncDispose]();
  }
}
