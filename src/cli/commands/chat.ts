import { Command, InvalidArgumentError } from 'commander';
import type { ChatOptions } from '../../assistant/index.ts';
import type { NewFact } from '../../memory/index.ts';
import { withOperations } from '../with-operations.ts';

interface Flags extends Pick<ChatOptions, 'temperature' | 'maxTokens' | 'seed'> {
  json?: boolean;
}

/** `phoenix chat TEXT` */
export function chatCommand(): Command {
  return new Command('chat')
    .description('Say something to the assistant; it remembers facts and answers questions about them.')
    .argument('<text...>', 'what to say, in Spanish or English')
    .option('--temperature <number>', 'how freely a language model chooses its words, 0 to 2', number)
    .option('--max-tokens <number>', 'most tokens of the answer', number)
    .option('--seed <number>', 'the same seed gives the same answer', number)
    .option('--json', 'print everything that the assistant did')
    .action((words: string[], { json, ...options }: Flags, command: Command) =>
      withOperations(command, async (operations) => {
        const messages = [{ role: 'user', content: words.join(' ') }] as const;
        if (json) {
          const answer = await operations.chat(messages, options);
          process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
          return;
        }
        for await (const { text, answer } of operations.reply(messages, options)) {
          process.stdout.write(answer ? `\n${toLines(answer.stored)}` : text);
        }
      }),
    );
}

function toLines(stored: readonly NewFact[]): string {
  return stored.map(({ subject, verb, object }) => `  (${subject}, ${verb}, ${object})\n`).join('');
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('it must be a number.');
  return value;
}
