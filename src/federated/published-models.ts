/** The models that a coordinator has released, one file for each version. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';
import type { ModelSpec } from './model.ts';
import type { PrivacyLedger } from './privacy/index.ts';
import { isSameSpec } from './protocol.ts';
import { fromFile, openModel, type ReleasedModel, type SignedBytes, signModel, toFile } from './signed-model.ts';

export class PublishedModels {
  readonly #folder: string;
  readonly #spec: ModelSpec;
  readonly #keys: { privateKey: string; publicKey: string };
  #latest: { signed: SignedBytes; released: ReleasedModel } | undefined;

  /** @throws FederationError when there are models of another kind */
  constructor(folder: string, spec: ModelSpec, keys: { privateKey: string; publicKey: string }) {
    this.#folder = folder;
    this.#spec = spec;
    this.#keys = keys;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const versions = readdirSync(folder).flatMap((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? []));
    if (versions.length === 0) return;
    const signed = fromFile(readFileSync(this.#path(Math.max(...versions)), 'utf8'));
    this.#latest = { signed, released: openModel(signed, keys.publicKey) };
    const { statement } = this.#latest.released;
    if (!isSameSpec(statement.spec, spec))
      throw new FederationError(
        `the models in ${folder} are of "${statement.spec.id}", and this Phoenix would train "${spec.id}": use another state folder`,
      );
  }

  get latest(): SignedBytes | undefined {
    return this.#latest?.signed;
  }

  /** Of the newest one. */
  get statement(): ReleasedModel['statement'] | undefined {
    return this.#latest?.released.statement;
  }

  /** Of the newest one; 0 for none. */
  get version(): number {
    return this.statement?.version ?? 0;
  }

  /**
   * Signs the model that is a step away from the newest one, and keeps it.
   *
   * @param ledger where the step is written down already
   */
  publish(step: Float64Array, ledger: PrivacyLedger, now: number): void {
    const parameters = step.map((value, n) => value + (this.#latest?.released.parameters[n] ?? 0));
    const { epsilon, ...privacy } = ledger.spending();
    const { head } = ledger;
    if (!head) throw new FederationError('the ledger is empty after a release');
    const statement = {
      version: this.version + 1,
      spec: this.#spec,
      privacy: { ...privacy, epsilon: Number.isFinite(epsilon) ? epsilon : null },
      ledger: head,
      at: new Date(now).toISOString(),
    };
    const signed = signModel(statement, parameters, this.#keys.privateKey);
    replaceDurably(this.#path(statement.version), toFile(signed));
    this.#latest = { signed, released: openModel(signed, this.#keys.publicKey) };
  }

  #path(version: number): string {
    return join(this.#folder, `${version}.json`);
  }
}
