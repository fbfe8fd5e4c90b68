import type { ChatHistoryItem, ChatWrapper, LlamaModel, LlamaText, Token } from 'node-llama-cpp';
import type { PromptPart } from '../language/index.ts';
import type { ChatTurn } from './types.ts';

/** How inputs become tokens of a model. */
export class Prompts {
  /** Whether the model has a chat template. */
  readonly canChat: boolean;
  readonly #model: LlamaModel;
  readonly #chat: ChatWrapper;

  private constructor(model: LlamaModel, chat: ChatWrapper) {
    this.#model = model;
    this.#chat = chat;
    this.canChat = typeof model.fileInfo.metadata.tokenizer?.chat_template === 'string';
  }

  static async create(model: LlamaModel): Promise<Prompts> {
    const { resolveChatWrapper } = await import('node-llama-cpp');
    return new Prompts(model, resolveChatWrapper(model, { warningLogs: false }));
  }

  /** Whether the model has a control token of this text. */
  controlToken(text: string): boolean {
    const tokens = this.#model.tokenize(text, true);
    return tokens.length === 1 && this.#model.isSpecialToken(tokens[0]);
  }

  /** Text stays text, whatever it looks like; only named control tokens are control tokens. */
  ofParts(parts: readonly PromptPart[]): number[] {
    return parts.flatMap((part) =>
      typeof part === 'string' ? this.#model.tokenize(part) : this.#model.tokenize(part.control, true),
    );
  }

  /** A text that is only text. */
  ofText(text: string): number[] {
    return this.#withBos(this.#model.tokenize(text));
  }

  /** Control tokens in the text are meant as such. */
  ofRaw(text: string): number[] {
    return this.#withBos(this.#model.tokenize(text, true));
  }

  /** A conversation in the form of the model's chat template, up to where its answer begins. */
  ofMessages(turns: readonly ChatTurn[]): { tokens: number[]; stop: string[] } {
    const history: ChatHistoryItem[] = turns.map(({ role, text }) =>
      role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text },
    );
    const { contextText, stopGenerationTriggers } = this.#chat.generateContextState({
      chatHistory: [...history, { type: 'model', response: [''] }],
    });
    const tokens = this.#withBos(contextText.tokenize(this.#model.tokenizer));
    return { tokens, stop: textsOf(stopGenerationTriggers) };
  }

  #withBos(tokens: Token[]): number[] {
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
  }
}

/** The triggers that are texts; those that are tokens end a text by themselves. */
export function textsOf(triggers: Iterable<string | LlamaText | readonly (string | Token)[]>): string[] {
  return Array.from(triggers).flatMap((trigger) => {
    const values =
      typeof trigger === 'string'
        ? [trigger]
        : 'values' in trigger && !Array.isArray(trigger)
          ? trigger.values
          : trigger;
    const [value, ...more] = values as readonly unknown[];
    return typeof value === 'string' && value !== '' && more.length === 0 ? [value] : [];
  });
}
