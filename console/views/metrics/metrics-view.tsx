import type { ComponentChildren } from 'preact';
import { Badge, Loaded, ViewHead } from '../../components/basics.tsx';
import { Chart } from '../../components/chart.tsx';
import { api } from '../../lib/api.ts';
import { bytes, milliseconds, percent, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import { address } from '../../lib/route.ts';
import type { History } from '../../lib/types.ts';
import { Gauge } from './gauge.tsx';
import { ACCEPTANCE, EPSILON, HIT_RATE_ALERT, toneAt } from './thresholds.ts';

const POLL_MS = 5000;
const MIB = 1024 ** 2;
/** The memory that the panel shows at least, as on the dashboard. */
const MEMORY_SHOWN = 1024 * MIB;

/** The six panels of the dashboard, from the same metrics, for the last 15 minutes. */
export function MetricsView() {
  const { data, error } = usePolled((signal) => api<History>('GET', '/api/metrics/history', { signal }), POLL_MS);
  return (
    <>
      <ViewHead title={t('nav.metrics')} about={t('metrics.about')} />
      <Loaded data={data} error={error}>
        {(history) => <Panels history={history} />}
      </Loaded>
    </>
  );
}

function Panels({ history }: { history: History }) {
  const { times, spanMs, hitRate, acceptance, epsilon, skills } = history;
  const perSkill = (pick: (skill: History['skills'][string]) => (number | null)[]) =>
    Object.entries(skills).map(([name, skill]) => ({ name, values: pick(skill) }));
  const common = { times, spanMs };
  const accepted = acceptance.findLast((value) => value !== null);
  const spent = epsilon.at(-1) ?? undefined;
  return (
    <div class="panels">
      <Panel title={t('panel.hitRate')} hint={t('panel.hitRate.hint', { share: percent(HIT_RATE_ALERT / 100) })}>
        <Chart
          {...common}
          title={t('panel.hitRate')}
          lines={[{ name: t('panel.hitRate.line'), values: hitRate }]}
          format={(value) => percent(value / 100)}
          max={100}
          threshold={HIT_RATE_ALERT}
        />
      </Panel>
      <Panel title={t('panel.latency')} hint={t('panel.latency.hint')}>
        <Chart
          {...common}
          title={t('panel.latency')}
          lines={perSkill(({ p50Ms }) => p50Ms)}
          format={milliseconds}
          max={1}
        />
      </Panel>
      <Panel title={t('panel.health')} hint={t('panel.health.hint')}>
        <Health skills={skills} />
      </Panel>
      <Panel title={t('panel.memory')} hint={t('panel.memory.hint')}>
        <Chart
          {...common}
          title={t('panel.memory')}
          lines={perSkill(({ memoryBytes }) => memoryBytes)}
          format={bytes}
          max={MEMORY_SHOWN}
          isBinary
        />
      </Panel>
      <Panel
        title={t('panel.acceptance')}
        hint={t('panel.acceptance.hint', { good: percent(0.8), poor: percent(0.6) })}
      >
        {accepted === undefined || accepted === null ? (
          <p class="panel-empty">{t('panel.acceptance.none')}</p>
        ) : (
          <Gauge value={accepted} steps={ACCEPTANCE} text={percent(accepted)} label={t('panel.acceptance')} />
        )}
      </Panel>
      <Panel title={t('panel.epsilon')} hint={t('panel.epsilon.hint')}>
        {spent === undefined ? (
          <p class="panel-empty">{t('panel.epsilon.none')}</p>
        ) : (
          <p class={`stat ${toneAt(EPSILON, spent)}-text`}>ε = {spent < Number.MAX_VALUE ? short(spent) : '∞'}</p>
        )}
      </Panel>
    </div>
  );
}

function Panel({ title, hint, children }: { title: string; hint: string; children: ComponentChildren }) {
  return (
    <section class="card panel">
      <h2>{title}</h2>
      <p class="hint">{hint}</p>
      {children}
    </section>
  );
}

function Health({ skills }: { skills: History['skills'] }) {
  return (
    <table class="health">
      <thead>
        <tr>
          <th scope="col">{t('health.skill')}</th>
          <th scope="col">{t('health.now')}</th>
          <th scope="col">{t('health.uptime')}</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(skills).map(([name, { up, expected }]) => {
          const isUp = up.at(-1) === 1;
          const tone = isUp ? 'good' : expected ? 'bad' : 'none';
          const known = up.filter((value) => value !== null);
          const share = known.filter((value) => value === 1).length / Math.max(1, known.length);
          return (
            <tr key={name}>
              <td>
                <a href={address('skills', name)}>{name}</a>
              </td>
              <td>
                <Badge tone={tone}>{t(isUp ? 'health.up' : expected ? 'health.down' : 'health.idle')}</Badge>
              </td>
              <td class="number">{percent(share)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
