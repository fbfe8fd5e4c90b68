import { useEffect, useRef, useState } from 'preact/hooks';
import { Notice } from '../../components/basics.tsx';
import { ApiError, events } from '../../lib/api.ts';
import { generation } from '../../lib/connection.ts';
import { t } from '../../lib/i18n.ts';
import { useStore } from '../../lib/store.ts';

/** Lines that are shown. */
const SHOWN = 500;
const LEVELS: Record<string, string> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR' };

/** What a skill logs, as it does. */
export function SkillLog({ name }: { name: string }) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const [error, setError] = useState<string>();
  const online = useStore(generation);
  const box = useRef<HTMLPreElement>(null);

  // Read anew when the server is there again.
  useEffect(() => {
    const controller = new AbortController();
    const follow = async () => {
      setLines([]);
      const path = `/api/skills/${encodeURIComponent(name)}/logs?follow=true&lines=200`;
      for await (const { lines: more } of events<{ lines: string[] }>('GET', path, { signal: controller.signal })) {
        setError(undefined);
        setLines((before) => [...before, ...more].slice(-SHOWN));
      }
    };
    follow().catch((failure: Error) => {
      if (failure instanceof ApiError) setError(failure.message);
    });
    return () => controller.abort();
  }, [name, online]);

  // It follows the lines.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    // Who has scrolled up reads: the end is followed only from the end.
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
    if (isAtEnd) element.scrollTop = element.scrollHeight;
  }, [lines]);

  return (
    <section class="card">
      <h2>{t('log.title')}</h2>
      {error ? (
        <Notice tone="info">{error}</Notice>
      ) : (
        <pre class="log" role="log" ref={box} tabIndex={0} aria-label={t('log.title')}>
          {lines.length === 0 ? t('log.none') : lines.map(readable).join('\n')}
        </pre>
      )}
    </section>
  );
}

/** A line of a skill's log is JSON: time, level and message first, then the rest. */
function readable(line: string): string {
  try {
    const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const clock = time === undefined ? '' : `${new Date(time as string | number).toLocaleTimeString()} `;
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    return `${clock}${LEVELS[String(level)] ?? level ?? ''} ${msg ?? ''}${more}`.trim();
  } catch {
    return line;
  }
}
