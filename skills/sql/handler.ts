import { type CallContext, defineSkill } from 'phoenix/skill';
import { readSqlConfig } from './config.ts';
import { openDatabase } from './database.ts';
import { isDamage, toSqlError } from './errors.ts';
import { execute, executeStream } from './execute.ts';

export default defineSkill(({ dataDir, config, log }) => {
  if (dataDir === undefined) throw new Error('the sql skill needs the volume "data"');
  const limits = readSqlConfig(config);
  const database = openDatabase(dataDir, limits, log);
  let damage: string | undefined;
  const enter = ({ grants }: CallContext) => {
    database.guard.takeReason();
    database.guard.grants = grants;
  };
  const explain = (error: unknown) => {
    if (isDamage(error)) damage = `the database is damaged: ${(error as Error).message}`;
    return toSqlError(error, database.guard.takeReason());
  };
  return {
    infer(request, call) {
      try {
        enter(call);
        return execute(database, request, call, limits);
      } catch (error) {
        throw explain(error);
      }
    },
    async *inferStream(request, call) {
      try {
        enter(call);
        yield* executeStream(database, request, call);
      } catch (error) {
        throw explain(error);
      }
    },
    // Not serving makes the pool start it anew, and that puts the damaged file aside.
    health: () => ({ serving: damage === undefined, message: damage ?? database.notice }),
    close: () => database.close(),
  };
});
