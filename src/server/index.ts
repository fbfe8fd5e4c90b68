/** The HTTP interface. */
export type { ApiErrorBody } from './errors.ts';
export { ListenError, type ServerOptions, startServer } from './server.ts';
