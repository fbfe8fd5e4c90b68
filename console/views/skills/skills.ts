/** Skills on the server. */
import type { Tone } from '../../components/basics.tsx';
import { api } from '../../lib/api.ts';
import type { TextKey } from '../../lib/i18n.ts';
import type { History, SkillCall, SkillCallAnswer, SkillHistory, SkillStatusReport } from '../../lib/types.ts';

/** How often skills are looked at, in milliseconds. */
export const POLL_MS = 3000;

export type Action = 'start' | 'stop' | 'restart' | 'reload';

export interface SkillsNow {
  skills: SkillStatusReport[];
  history: History;
}

export async function readSkills(signal: AbortSignal): Promise<SkillsNow> {
  const [{ skills }, history] = await Promise.all([
    api<{ skills: SkillStatusReport[] }>('GET', '/api/skills', { signal }),
    api<History>('GET', '/api/metrics/history', { signal }),
  ]);
  return { skills, history };
}

export async function act(name: string, action: Action): Promise<void> {
  await api('POST', `/api/skills/${encodeURIComponent(name)}/${action}`, { body: {} });
}

export function callSkill(name: string, call: SkillCall): Promise<SkillCallAnswer> {
  return api('POST', `/api/skills/${encodeURIComponent(name)}/call`, { body: call });
}

const TONES: Record<SkillStatusReport['state'], Tone> = {
  ready: 'good',
  starting: 'info',
  stopping: 'info',
  taken: 'good',
  backing_off: 'warn',
  failed: 'bad',
  broken: 'bad',
  stopped: 'none',
  closed: 'none',
};

export function toneOf({ state }: SkillStatusReport): Tone {
  return TONES[state];
}

/** What went wrong with a skill. */
export interface Trouble {
  kind: 'broken' | 'launch' | 'ended';
  /** Why it ended, where that is known. */
  reason: 'oom' | 'crashed' | 'unhealthy' | undefined;
  /** How its process ended. */
  exit: string;
  message: string;
  /** It serves again. */
  isOver: boolean;
}

/** How long a failure that is over is still shown, in milliseconds. */
const REMEMBERED_MS = 10 * 60_000;

/** What is wrong with a skill, or was a short while ago. */
export function troubleOf({ state, error, events }: SkillStatusReport, now = Date.now()): Trouble | undefined {
  const last = events.findLast(({ what }) => what === 'launch_failed' || what === 'stopped');
  const [reason, exit = ''] = last?.what === 'stopped' ? (last.detail?.split(':') ?? []) : [];
  const known: Trouble['reason'] =
    reason === 'oom' || reason === 'crashed' || reason === 'unhealthy' ? reason : undefined;
  const message = error ?? last?.detail ?? '';
  const common: Omit<Trouble, 'kind' | 'isOver'> = { reason: known, exit, message };
  if (state === 'broken') return { ...common, kind: 'broken', isOver: false };
  const hasFailed = last?.what === 'launch_failed' || error !== undefined;
  if (!known && !hasFailed) return undefined;
  const isOver = state === 'ready';
  if (isOver && now - (last?.at ?? 0) > REMEMBERED_MS) return undefined;
  return { ...common, kind: known ? 'ended' : 'launch', isOver };
}

export function latest(values: readonly (number | null)[] | undefined): number | undefined {
  return values?.at(-1) ?? undefined;
}

export function speedOf(history: SkillHistory | undefined) {
  return {
    callsPerSecond: latest(history?.callsPerSecond),
    p50: latest(history?.p50Ms),
    p99: latest(history?.p99Ms),
  };
}

/** What a skill may and may not do at its level of isolation: texts, in the order in which they are read. */
export function rightsOf({ isolation, limits }: SkillStatusReport): { may: TextKey[]; mayNot: TextKey[] } {
  const may: TextKey[] = ['may.answer', 'may.tmp'];
  if (limits?.data) may.push('may.data');
  if (limits && limits.models.length > 0) may.push('may.models');
  if (limits && limits.native.length > 0) may.push('may.native');
  if (limits?.toolchain) may.push('may.programs');
  if (limits && limits.folders.length > 0) may.push('may.folders');
  if (isolation === 'process') {
    return { may: [...may, 'may.network'], mayNot: ['mayNot.files', 'mayNot.programs', 'mayNot.environment'] };
  }
  return {
    may,
    mayNot: [
      'mayNot.network',
      'mayNot.files',
      'mayNot.write',
      'mayNot.processes',
      'mayNot.rights',
      'mayNot.environment',
    ],
  };
}
