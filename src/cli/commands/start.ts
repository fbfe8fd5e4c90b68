import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { Phoenix } from '../../assistant/index.ts';
import { startServer } from '../../server/index.ts';
import { lockStateDir } from '../../state-lock/index.ts';
import { createLogger } from '../../telemetry/index.ts';
import { VERSION } from '../../version.ts';
import { CliError } from '../errors.ts';
import { configOf, serverFilePath } from '../with-operations.ts';

/** `phoenix start` */
export function startCommand(): Command {
  return new Command('start')
    .description('Start the assistant: HTTP server, memory and skills.')
    .option('--keep-skills', 'leave the skills running when the assistant stops')
    .action(start);
}

async function start({ keepSkills = false }: { keepSkills?: boolean }, command: Command): Promise<void> {
  const config = configOf(command);
  const log = createLogger(config.log_level);
  using lock = await lockStateDir(config.state_dir, 0);
  if (!lock)
    throw new CliError(
      `${config.state_dir} is in use: a Phoenix runs there already. Stop it, or set state_dir to another folder.`,
    );
  const phoenix = await Phoenix.open(config, log);
  const serverFile = serverFilePath(config.state_dir);
  try {
    const { app, url } = await startServer({
      operations: phoenix.operations,
      generator: phoenix.generator,
      metrics: phoenix.metrics,
      privacy: { read: () => phoenix.privacy(), setPaused: (isPaused) => phoenix.setFederationPaused(isPaused) },
      log,
      host: config.server.host,
      port: config.server.port,
      token: config.server.token,
      bodyLimit: config.server.body_limit,
      version: VERSION,
    });
    writeFileSync(serverFile, JSON.stringify({ format: 1, url }), { mode: 0o600 });
    phoenix.warmUp();
    process.stdout.write(
      banner(url, phoenix, config.file ?? `none; defaults, or ${join(process.cwd(), 'phoenix.yaml')}`),
    );
    const signal = await untilStopped();
    log.info({ signal }, 'stopping');
    await app.close();
  } finally {
    rmSync(serverFile, { force: true });
    await phoenix.close({ keepSkills });
  }
}

function banner(url: string, phoenix: Phoenix, configFile: string): string {
  return [
    `Phoenix ${VERSION} is listening on ${url}`,
    `  skills: ${phoenix.skillNames().join(', ')}`,
    `  runtime: ${phoenix.runtimeReason}`,
    `  configuration: ${configFile}`,
    '',
    `Open ${url} in a browser, or try in another terminal:`,
    '  npx phoenix chat "My sister lives in Madrid"',
    '  npx phoenix chat "Where does my sister live?"',
    '',
  ].join('\n');
}

/** The first signal stops gently; a second one, at once. */
function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve(signal);
      });
    }
  });
}
