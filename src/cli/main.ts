/** The command line: `phoenix COMMAND`. One file for each command. */
import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { benchCommand } from './commands/bench.ts';
import { chatCommand } from './commands/chat.ts';
import { deployCommand } from './commands/deploy.ts';
import { doctorCommand } from './commands/doctor.ts';
import { federateCommand } from './commands/federate.ts';
import { memoryCommand } from './commands/memory.ts';
import { modelsCommand } from './commands/models.ts';
import { patchCommand } from './commands/patch.ts';
import { privacyCommand } from './commands/privacy.ts';
import { routerCommand } from './commands/router.ts';
import { skillCommand } from './commands/skill.ts';
import { startCommand } from './commands/start.ts';
import { topCommand } from './commands/top.ts';
import { verifyCommand } from './commands/verify.ts';
import { describeError } from './errors.ts';

const program = new Command('phoenix')
  .description('Skills as services for self-hosted AI assistants.')
  .version(VERSION)
  .option('-c, --config <file>', 'configuration file (default: phoenix.yaml here, or what PHOENIX_CONFIG names)')
  .showHelpAfterError()
  .addCommand(startCommand())
  .addCommand(chatCommand())
  .addCommand(memoryCommand())
  .addCommand(skillCommand())
  .addCommand(topCommand())
  .addCommand(routerCommand())
  .addCommand(modelsCommand())
  .addCommand(patchCommand())
  .addCommand(federateCommand())
  .addCommand(privacyCommand())
  .addCommand(deployCommand())
  .addCommand(doctorCommand())
  .addCommand(verifyCommand())
  .addCommand(benchCommand());

// What reads our output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`phoenix: ${describeError(error)}\n`);
  process.exitCode = 1;
}
