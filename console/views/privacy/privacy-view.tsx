import { Empty, Loaded, ViewHead } from '../../components/basics.tsx';
import { Icon } from '../../components/icon.tsx';
import { api } from '../../lib/api.ts';
import { short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import type { History } from '../../lib/types.ts';
import { EPSILON, toneAt } from '../metrics/thresholds.ts';

const POLL_MS = 10_000;
const WAYS_OUT = ['models', 'traces', 'metrics', 'skills'] as const;

/** What leaves this machine, and what federated learning has cost. */
export function PrivacyView() {
  const { data, error } = usePolled((signal) => api<History>('GET', '/api/metrics/history', { signal }), POLL_MS);
  return (
    <>
      <ViewHead title={t('nav.privacy')} about={t('privacy.about')} />
      <Loaded data={data} error={error}>
        {({ epsilon }) => <Spent epsilon={epsilon.at(-1) ?? 0} />}
      </Loaded>
      <section class="card">
        <h2>{t('privacy.out')}</h2>
        <ul class="ways-out">
          {WAYS_OUT.map((way) => (
            <li key={way}>
              <Icon name="link" />
              {t(`privacy.out.${way}`)}
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

function Spent({ epsilon }: { epsilon: number }) {
  return (
    <section class="card">
      {epsilon === 0 ? (
        <Empty icon="privacy" title={t('privacy.nothing')}>
          <p>{t('privacy.nothing.about')}</p>
        </Empty>
      ) : (
        <>
          <h2>{t('privacy.spent')}</h2>
          <p class={`stat ${toneAt(EPSILON, epsilon)}-text`}>ε = {short(epsilon)}</p>
          <p class="hint">{t('panel.epsilon.hint')}</p>
        </>
      )}
    </section>
  );
}
