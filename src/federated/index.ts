/** What several installations learn together, and what that tells about each of them. */
export * from './privacy/index.ts';
