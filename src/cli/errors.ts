/** A failure that is told in one line; anything else is a bug and shows its stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

const EXPECTED = new Set([
  'CliError',
  'DeployError',
  'PrivacyError',
  'FederationError',
  'LedgerError',
  'BudgetError',
  'EngineError',
  'YamlFileError',
  'StateDirError',
  'StateVersionError',
  'ListenError',
  'ModelError',
  'RuntimeError',
  'MemoryInputError',
  'MemoryFileError',
  'MemoryWriteError',
  'FeedbackError',
  'RouterWeightsError',
  'BundleError',
  'PatchError',
  'SignatureError',
  'BenchError',
  'SkillCallError',
  'SkillNotFoundError',
  'SkillLaunchError',
  'SkillUnavailableError',
  'SkillTimeoutError',
]);

/** What the user sees of an error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return EXPECTED.has(error.name) ? error.message : (error.stack ?? error.message);
}
