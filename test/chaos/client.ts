import { Agent, type ClientRequest, request } from 'node:http';

/** An answer that is no success. */
export class StatusError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`${status}: ${message}`);
    this.status = status;
  }
}

/** What is known of a call beside its answer. */
export interface CallTrace {
  /** It went over a connection that had been used before. */
  isReused?: boolean;
}

/** Asks over connections of its own that are kept; never asks twice. */
export class Client {
  #agent = new Agent({ keepAlive: true });

  /** @throws StatusError, or Error when there is no answer within `timeoutMs` milliseconds */
  ask(
    url: string,
    method: string,
    path: string,
    body: object | undefined,
    timeoutMs: number,
    trace: CallTrace = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(timeoutMs);
      const call: ClientRequest = request(url + path, { method, agent: this.#agent, headers, signal }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('error', reject);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          if (status !== 200) reject(new StatusError(status, text.slice(0, 300)));
          else resolve(text);
        });
      });
      call.on('socket', () => {
        trace.isReused = call.reusedSocket;
      });
      call.on('error', reject);
      call.end(body && JSON.stringify(body));
    });
  }

  /** Lets go of every connection. */
  disconnect(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true });
  }
}
