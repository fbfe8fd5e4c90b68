/**
 * The health check of a container: `node health.mjs SOCKET` asks the skill over gRPC whether it serves, and ends with 0 or 1.
 *
 * Speaks HTTP/2 itself, because loading a gRPC library at every check would take more time than the check.
 */
import { connect, constants } from 'node:http2';
import { createConnection } from 'node:net';

const TIMEOUT_MS = 4000;
/** A gRPC message without a field: not compressed, of length 0. */
const EMPTY_MESSAGE = Buffer.alloc(5);
/** HealthCheckResponse { status: SERVING }, in front of it that it is not compressed and its length. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

const [socketPath = ''] = process.argv.slice(2);
const session = connect('http://localhost', { createConnection: () => createConnection(socketPath) });
setTimeout(() => end(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
session.on('error', (error) => end(error.message));
const call = session.request({
  [constants.HTTP2_HEADER_METHOD]: 'POST',
  [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
  'content-type': 'application/grpc',
  te: 'trailers',
});
const answer: Buffer[] = [];
call.on('data', (piece: Buffer) => answer.push(piece));
call.on('error', (error) => end(error.message));
call.on('end', () => end(Buffer.concat(answer).equals(SERVING) ? undefined : 'it does not serve'));
call.end(EMPTY_MESSAGE);

function end(problem: string | undefined): never {
  if (problem !== undefined) process.stderr.write(`${problem}\n`);
  process.exit(problem === undefined ? 0 : 1);
}
