import { useState } from 'preact/hooks';
import { Button } from '../../components/basics.tsx';
import { attempt, say } from '../../components/toast.tsx';
import { api } from '../../lib/api.ts';
import { ago, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';

const SHOWN = 50;

interface FeedbackRecord {
  id: number;
  at: number;
  signal: 'user' | 'failed' | 'repeated';
  text: string;
  /** The right ones. */
  skills: string[];
  /** Those that were wrong; null: all others. */
  wrong: string[] | null;
}

interface Trained {
  feedback: number;
  seconds: number;
  /** Whether the new weights are used: not so when they would be worse. */
  isNew: boolean;
}

/** What the router has learnt from, and what can be taken back. Nothing where the server keeps none. */
export function FeedbackList() {
  const [isTraining, setTraining] = useState(false);
  const { data, reload } = usePolled(
    (signal) => api<{ feedback: FeedbackRecord[] }>('GET', `/api/feedback?limit=${SHOWN}`, { signal }),
    0,
  );
  if (!data) return null;
  const drop = async (id: number) => {
    await attempt(() => api('DELETE', `/api/feedback/${id}`));
    await reload();
  };
  const train = async () => {
    setTraining(true);
    await attempt(async () => {
      const { isNew, seconds } = await api<Trained>('POST', '/api/router/train', { body: {} });
      say(isNew ? t('router.trained', { n: short(seconds) }) : t('router.trained.kept'));
    });
    setTraining(false);
  };
  return (
    <section class="card">
      <header class="card-head">
        <h2>{t('feedback.title')}</h2>
        <Button icon="retry" onClick={train} disabled={isTraining}>
          {t(isTraining ? 'action.running' : 'router.train')}
        </Button>
      </header>
      {data.feedback.length === 0 ? (
        <p class="muted">{t('feedback.empty')}</p>
      ) : (
        <ul class="records">
          {data.feedback.map(({ id, at, signal, text, ...said }) => (
            <li key={id}>
              <span class="record-text">{text}</span>
              <span>→ {verdictOf(said)}</span>
              <span class="muted">
                {t(`feedback.${signal}`)}, {ago(at)}
              </span>
              <Button kind="quiet" icon="trash" label={`${t('memory.forget')}: ${text}`} onClick={() => drop(id)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function verdictOf({ skills, wrong }: Pick<FeedbackRecord, 'skills' | 'wrong'>): string {
  if (skills.length > 0) return skills.join(', ');
  return wrong && wrong.length > 0 ? t('feedback.not', { skills: wrong.join(', ') }) : t('feedback.none');
}
