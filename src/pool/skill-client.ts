import type {
  HealthCheckResponse,
  InferRequest,
  InferResponse,
  MetricsResponse,
  SessionReply,
} from '../contract/index.ts';
import { DraftLine, type DraftListener } from './draft-line.ts';
import { SkillUnavailableError } from './errors.ts';
import type { CallObservation } from './events.ts';
import { type CallOptions, PendingCall } from './pending-call.ts';
import { ReplyError } from './session.ts';
import type { SkillUnit } from './unit.ts';

/**
 * A client of one skill. It outlives the skill's instances: a call launches the skill when it does not run, and goes to
 * its next instance when it was restarted.
 */
export class SkillClient implements AsyncDisposable {
  readonly #unit: SkillUnit;
  readonly #observe: (call: CallObservation) => void;

  constructor(unit: SkillUnit, observe: (call: CallObservation) => void) {
    this.#unit = unit;
    this.#observe = observe;
  }

  get skill(): string {
    return this.#unit.manifest.name;
  }

  /** Whether a call would be sent at once, without a launch. */
  get isConnected(): boolean {
    return this.#unit.session !== undefined;
  }

  /**
   * Calls the skill.
   *
   * @throws SkillTimeoutError, SkillUnavailableError, SkillLaunchError, or SkillCallError with the status of the skill
   */
  async infer(request: Partial<InferRequest>, options: CallOptions = {}): Promise<InferResponse> {
    const call = new PendingCall(this.#unit, options);
    const full = call.carryTrace(toRequest(request));
    try {
      while (true) {
        const { session } = await call.connect();
        const { id, answer } = session.infer(full, call.settings());
        try {
          const response = await call.within(answer, () => session.cancel(id));
          call.answered(response);
          call.finish(this.#observe, 'OK');
          return response;
        } catch (error) {
          if (!call.mayRetry(error)) throw error;
        }
      }
    } catch (error) {
      throw await call.fail(this.#observe, error);
    }
  }

  /** Calls the skill for an answer in pieces. Leaving the loop early cancels the call. Throws as `infer` does. */
  async *inferStream(request: Partial<InferRequest>, options: CallOptions = {}): AsyncGenerator<InferResponse> {
    const call = new PendingCall(this.#unit, options, 'InferStream');
    const replies: (SessionReply | Error)[] = [];
    let wake = () => {};
    let ended = false;
    let cancel = () => {};
    try {
      const { session } = await call.connect();
      const push = (reply: SessionReply | Error) => {
        replies.push(reply);
        wake();
      };
      const id = session.start(call.carryTrace(toRequest(request)), call.settings(), true, {
        onReply: push,
        onBroken: push,
      });
      cancel = () => session.cancel(id);
      while (!ended) {
        if (replies.length === 0) {
          await call.within(
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
            cancel,
          );
        }
        for (const reply of replies.splice(0)) {
          if (reply instanceof Error) throw reply;
          if (reply.code !== 0) throw new ReplyError(reply.code, reply.error);
          ended = reply.end;
          if (reply.response?.metrics) call.answered(reply.response);
          if (reply.response) yield reply.response;
        }
      }
      call.finish(this.#observe, 'OK');
    } catch (error) {
      ended = true;
      throw await call.fail(this.#observe, error);
    } finally {
      if (!ended) {
        cancel();
        call.finish(this.#observe, 'CANCELLED');
      }
    }
  }

  /**
   * Opens a drafting stream. It counts as a call until it ends, so that the skill is not stopped under it. One that breaks stays
   * broken: the next one goes to the skill's next instance.
   *
   * @param options how long to wait for the skill to serve
   * @throws as `infer` does, when it cannot be opened
   */
  async draft(listener: DraftListener, options: Pick<CallOptions, 'timeoutMs' | 'signal'> = {}): Promise<DraftLine> {
    const call = new PendingCall(this.#unit, options, 'Draft');
    try {
      const connection = await call.connect();
      return new DraftLine(connection, listener, {
        traceparent: call.traceparent,
        done: () => call.finish(this.#observe, 'OK'),
        failed: (error) => call.fail(this.#observe, error),
      });
    } catch (error) {
      throw await call.fail(this.#observe, error);
    }
  }

  /** Asks the running skill for its health; does not launch it and is no activity. */
  async check(timeoutMs = this.#unit.manifest.health.timeout): Promise<HealthCheckResponse> {
    const connection = this.#unit.connection;
    if (!connection) throw new SkillUnavailableError(this.skill, `it is not running (${this.#unit.state})`);
    return await connection.check(timeoutMs);
  }

  /** What the running skill has counted; does not launch it and is no activity. */
  async metrics(timeoutMs = this.#unit.manifest.health.timeout): Promise<MetricsResponse> {
    const connection = this.#unit.connection;
    if (!connection) throw new SkillUnavailableError(this.skill, `it is not running (${this.#unit.state})`);
    return await connection.metrics(timeoutMs);
  }

  /** This caller needs the skill no longer: of the idle skills, those that nobody holds are evicted first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#unit.holders = Math.max(0, this.#unit.holders - 1);
    return Promise.resolve();
  }
}

function toRequest(request: Partial<InferRequest>): InferRequest {
  return { prompt: '', maxTokens: 0, temperature: 0, stop: [], topP: 0, context: {}, sql: undefined, ...request };
}
