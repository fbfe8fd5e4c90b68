import { Command } from 'commander';
import type { ChatAnswer } from '../../assistant/index.ts';
import type { NewFact } from '../../memory/index.ts';
import { withOperations } from '../with-operations.ts';

/** `phoenix chat TEXT` */
export function chatCommand(): Command {
  return new Command('chat')
    .description('Say something to the assistant; it remembers facts and answers questions about them.')
    .argument('<text...>', 'what to say, in Spanish or English')
    .option('--json', 'print everything that the assistant did')
    .action((words: string[], { json }: { json?: boolean }, command: Command) =>
      withOperations(command, async (operations) => {
        const answer = await operations.chat([{ role: 'user', content: words.join(' ') }]);
        process.stdout.write(json ? `${JSON.stringify(answer, undefined, 2)}\n` : toText(answer));
      }),
    );
}

function toText({ text, stored }: ChatAnswer): string {
  const facts = stored.map((fact: NewFact) => `  (${fact.subject}, ${fact.verb}, ${fact.object})\n`).join('');
  return `${text}\n${facts}`;
}
