import { useState } from 'preact/hooks';
import { Badge, Empty, Loaded, ViewHead } from '../../components/basics.tsx';
import { Field } from '../../components/field.tsx';
import { ApiError, api, query } from '../../lib/api.ts';
import { percent, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import { FeedbackList } from './feedback-list.tsx';

/** How long the explanation waits for the next letter, in milliseconds. */
const TYPING_MS = 150;

interface Explanation {
  threshold: number;
  topK: number;
  skills: Scored[];
}

interface Scored {
  skill: string;
  /** 0 to 1. */
  score: number;
  chosen: boolean;
  bias: number;
  features: { feature: string; contribution: number }[];
}

/** Which skills a sentence is for, and why. What comes after the name of the view is the sentence. */
export function RouterView({ rest }: { rest: string }) {
  const [text, setText] = useState(rest === '' ? t('router.example') : rest);
  const { data, error } = usePolled(
    async (signal) => {
      await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
      signal.throwIfAborted();
      return await api<Explanation>('GET', `/api/router/explain?${query({ text: text || ' ' })}`, { signal });
    },
    0,
    [text],
  );
  if (error instanceof ApiError && error.status === 404) {
    return (
      <>
        <ViewHead title={t('nav.router')} />
        <Empty icon="router" title={t('router.absent')}>
          <p>{t('router.absent.about')}</p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <ViewHead title={t('nav.router')} about={t('router.about')} />
      <Field label={t('router.text')} value={text} onInput={setText} />
      <Loaded data={data} error={error}>
        {(explanation) => <Scores {...explanation} />}
      </Loaded>
      <FeedbackList />
    </>
  );
}

function Scores({ skills, threshold, topK }: Explanation) {
  const isNone = skills.every(({ chosen }) => !chosen);
  return (
    <>
      <p class="muted" role="status">
        {isNone ? t('router.none') : t('router.rule', { threshold: percent(threshold), n: topK })}
      </p>
      <ul class="scores">
        {skills.map((scored) => (
          <Score scored={scored} threshold={threshold} key={scored.skill} />
        ))}
      </ul>
    </>
  );
}

function Score({ scored, threshold }: { scored: Scored; threshold: number }) {
  const { skill, score, chosen, bias, features } = scored;
  const most = Math.max(...features.map(({ contribution }) => Math.abs(contribution)), 0.001);
  return (
    <li class="card score">
      <header>
        <h2>{skill}</h2>
        {chosen && <Badge tone="good">{t('router.chosen')}</Badge>}
        <strong class="number">{percent(score)}</strong>
      </header>
      <div class="score-bar" aria-hidden="true">
        <span class={chosen ? 'chosen' : undefined} style={{ width: `${score * 100}%` }} />
        <i style={{ left: `${threshold * 100}%` }} />
      </div>
      {features.length > 0 && (
        <details open={chosen}>
          <summary>{t('router.why')}</summary>
          <ul class="contributions">
            {features.map(({ feature, contribution }) => (
              <li key={feature}>
                <code>{feature}</code>
                <span class="contribution" aria-hidden="true">
                  <span
                    class={contribution > 0 ? 'for' : 'against'}
                    style={{ width: `${(Math.abs(contribution) / most) * 100}%` }}
                  />
                </span>
                <span class="number">{signed(contribution)}</span>
              </li>
            ))}
          </ul>
          <p class="hint">{t('router.bias', { bias: signed(bias) })}</p>
        </details>
      )}
    </li>
  );
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : '−'}${short(Math.abs(value))}`;
}
