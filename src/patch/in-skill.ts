/** What the patch-sandbox skill uses of this: `import { ... } from 'phoenix/patch'`. */
export { type CopyOptions, copyTree } from './copy-tree.ts';
export {
  type ChangedFile,
  type CheckedPatchRequest,
  type CommandResult,
  type PatchProblem,
  type PatchRequest,
  type PatchResult,
  patchRequestSchema,
} from './protocol.ts';
export { isSignedBy, SignatureError } from './signature.ts';
