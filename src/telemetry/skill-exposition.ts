import type { MetricsResponse } from '../contract/index.ts';

type Series = [labels: Record<string, string | number>, value: number | bigint, suffix?: string];

/**
 * What a skill has counted, as Prometheus reads it:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format. The skill's name is a label of the target.
 */
export function skillExposition({ errorsTotal, latency, draft, ...counted }: MetricsResponse): string {
  const families: string[] = [];
  const add = (name: string, type: string, help: string, series: Series[]) => {
    const lines = series.map(([labels, value, suffix = '']) => `${name}${suffix}${format(labels)} ${value}\n`);
    families.push(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`);
  };
  const one = (name: string, type: string, help: string, value: number | bigint) =>
    add(name, type, help, [[{}, value]]);
  one('skill_host_requests_total', 'counter', 'Calls that the skill answered since it started.', counted.requestsTotal);
  add(
    'skill_host_errors_total',
    'counter',
    'Of these, those that failed, by gRPC status.',
    Object.entries(errorsTotal).map(([code, count]) => [{ code }, count]),
  );
  one('skill_host_in_flight', 'gauge', 'Calls that the skill works on.', counted.inFlight);
  one('skill_host_queue_depth', 'gauge', 'Calls that wait in the skill for a slot.', counted.queued);
  one('skill_host_uptime_seconds', 'gauge', 'Time since the skill started.', counted.uptimeSeconds);
  one(
    'skill_host_resident_memory_bytes',
    'gauge',
    'Resident set of the skill, by its own account.',
    counted.residentMemoryBytes,
  );
  if (latency) {
    let sum = 0n;
    const buckets = latency.counts.map((count, n): Series => {
      sum += count;
      return [{ le: latency.bounds[n] ?? '+Inf' }, sum, '_bucket'];
    });
    add('skill_host_latency_seconds', 'histogram', 'Time from the arrival of a call to its answer.', [
      ...buckets,
      [{}, latency.sumSeconds, '_sum'],
      [{}, sum, '_count'],
    ]);
  }
  if (draft) {
    one('skill_host_draft_streams', 'gauge', 'Drafting streams that are open.', draft.open);
    one('skill_host_proposed_tokens_total', 'counter', 'Tokens that the skill proposed.', draft.proposedTokensTotal);
  }
  return families.join('');
}

function format(labels: Series[0]): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return parts.length > 0 ? `{${parts.join(',')}}` : '';
}
