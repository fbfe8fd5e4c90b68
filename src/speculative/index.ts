/** Generation with proposals that the target model verifies, which change its speed and nothing else. */
export {
  type DecoderOptions,
  type FinishReason,
  type GeneratedToken,
  type GenerateSettings,
  type SpeculationMode,
  SpeculativeDecoder,
} from './decoder.ts';
export type { Draft, DraftOptions, DraftStream } from './draft.ts';
export { gumbelChoice, uniform } from './gumbel.ts';
export { LlamaTarget, type LlamaTargetOptions } from './llama-target.ts';
export { LocalDraft, type LocalDraftOptions } from './local-draft.ts';
export { expectedTokens, type GateLimits } from './policy.ts';
export { type ProbeOptions, probe, type SpeculationProfile } from './probe.ts';
export { loadProfile, type ProfileOptions } from './profile-cache.ts';
export { type DraftSource, RemoteDraft, type RemoteDraftOptions } from './remote-draft.ts';
export { DEFAULT_SAMPLER, type Penalties, type SamplerSettings } from './sampler.ts';
export type { FallbackReason, Origin, SpeculationSnapshot } from './stats.ts';
export {
  ContextOverflowError,
  type Evaluation,
  type Row,
  type Target,
  type TargetSequence,
} from './target.ts';
