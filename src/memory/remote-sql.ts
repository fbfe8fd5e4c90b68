/** A value of a statement. */
export type SqlParameter = string | number | null;

export interface RemoteStatement {
  sql: string;
  /** The statement runs once for each row; once, when there is none. */
  rows?: readonly (readonly SqlParameter[])[];
}

/** The SQL service that keeps the durable copy of the memory: the sql skill. */
export interface RemoteSql {
  /** It runs and answers, as far as is known. */
  readonly isAvailable: boolean;
  /** All or nothing. Starts the service when it does not run. @throws when it was not done, or when nobody knows */
  transaction(statements: readonly RemoteStatement[], timeoutMs: number): Promise<void>;
  /** Rows as arrays. @throws */
  query(sql: string, parameters: readonly SqlParameter[], timeoutMs: number): Promise<unknown[][]>;
  vacuum(timeoutMs: number): Promise<void>;
  /** Calls back whenever another instance may answer from now on, with other data. */
  onChange(listener: () => void): void;
}
