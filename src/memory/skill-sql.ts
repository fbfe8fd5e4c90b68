import type { SqlValue } from '../contract/index.ts';
import type { ModelPool, SkillClient } from '../pool/index.ts';
import type { RemoteSql, RemoteStatement, SqlParameter } from './remote-sql.ts';

const SKILL = 'sql';
/** Rights that the sql skill gives to the memory alone. */
const GRANTS = ['schema', 'memory'];

/** The sql skill as the place of the memory. */
export class SkillSql implements RemoteSql {
  readonly #pool: ModelPool;
  readonly #client: SkillClient;

  /** @throws SkillNotFoundError */
  constructor(pool: ModelPool) {
    this.#pool = pool;
    this.#client = pool.client(SKILL);
  }

  get isAvailable(): boolean {
    return this.#client.isConnected;
  }

  async transaction(statements: readonly RemoteStatement[], timeoutMs: number): Promise<void> {
    const transaction = statements.map(({ sql, rows }) => ({
      sql,
      rows: [],
      rowsJson: rows ? JSON.stringify(rows) : '',
    }));
    const sql = { parameters: [], named: {}, transaction, rowsAsArrays: false };
    await this.#client.infer({ sql }, { grants: GRANTS, timeoutMs });
  }

  async query(prompt: string, parameters: readonly SqlParameter[], timeoutMs: number): Promise<unknown[][]> {
    const sql = { parameters: parameters.map(toSqlValue), named: {}, transaction: [], rowsAsArrays: true };
    const { text } = await this.#client.infer({ prompt, sql }, { timeoutMs, idempotent: true });
    return JSON.parse(text) as unknown[][];
  }

  async vacuum(timeoutMs: number): Promise<void> {
    await this.#client.infer({ prompt: 'VACUUM' }, { grants: GRANTS, timeoutMs });
  }

  onChange(listener: () => void): void {
    this.#pool.on('event', (event) => {
      if (event.skill === SKILL && (event.t === 'ready' || event.t === 'stopped')) listener();
    });
  }
}

/** A value as it travels to the sql skill: a whole number as an integer, any other as a real. */
export function toSqlValue(value: SqlParameter): SqlValue {
  if (value === null) return { null: true };
  if (typeof value === 'string') return { text: value };
  return Number.isSafeInteger(value) ? { integer: BigInt(value) } : { real: value };
}
