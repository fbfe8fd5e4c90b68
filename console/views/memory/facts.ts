/** Facts on the server. */
import { api, query } from '../../lib/api.ts';
import type { RecallPage, Triple } from '../../lib/types.ts';

/** The three parts of a fact. */
export interface Fact {
  subject: string;
  verb: string;
  object: string;
}

export const PARTS = ['subject', 'verb', 'object'] as const;

export function partsOf({ subject, verb, object }: Fact): Fact {
  return { subject, verb, object };
}

/** A verb as it is read: `vive_en` is "vive en". */
export function spoken(verb: string): string {
  return verb.replaceAll('_', ' ');
}

interface Question extends Partial<Fact> {
  limit?: number;
  cursor?: string | undefined;
  text?: string;
  as_of?: number | undefined;
}

export function recall(question: Question, signal?: AbortSignal): Promise<RecallPage> {
  return api('GET', `/api/memory?${query({ ...question })}`, signal ? { signal } : {});
}

/** Everything that was ever true of a subject and a verb, oldest first. */
export async function timeline({ subject, verb }: Fact, signal?: AbortSignal): Promise<Triple[]> {
  const path = `/api/memory/history?${query({ subject, verb })}`;
  const { triples } = await api<RecallPage>('GET', path, signal ? { signal } : {});
  return triples.toSorted((a, b) => a.validFrom - b.validFrom);
}

export async function store(fact: Fact & { confidence: number }): Promise<void> {
  await api('POST', '/api/memory', { body: fact });
}

export async function correct(from: Fact, to: Fact, wasWrong: boolean): Promise<boolean> {
  const body = { from: partsOf(from), to: partsOf(to), wasWrong };
  return (await api<{ corrected: boolean }>('POST', '/api/memory/correct', { body })).corrected;
}

export async function forget(fact: Fact): Promise<number> {
  const path = `/api/memory?${query({ ...partsOf(fact) })}`;
  return (await api<{ forgotten: number }>('DELETE', path)).forgotten;
}
