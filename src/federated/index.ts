/** What several installations learn together, and what that tells about each of them. */
export { federatedFolders } from './folders.ts';
export * from './privacy/index.ts';
