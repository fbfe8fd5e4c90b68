import { Badge, Button, Empty, Loaded, Meter, Notice, ViewHead } from '../../components/basics.tsx';
import { Icon } from '../../components/icon.tsx';
import { attempt } from '../../components/toast.tsx';
import { api } from '../../lib/api.ts';
import { count, moment, percent, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import { EPSILON, toneAt } from '../metrics/thresholds.ts';

const POLL_MS = 30_000;
const WAYS_OUT = ['models', 'traces', 'metrics', 'skills'] as const;

/** As the server says it. An epsilon that is null is infinite. */
interface Privacy {
  spending: { epsilon: number | null; budget: number; delta: number; rounds: number } | null;
  nextEpsilon?: number | null;
  rounds: Round[];
  /** Null while this installation is in no federation. */
  client: Client | null;
}

interface Client {
  installed: number;
  isPaused: boolean;
  sent: { at: string; round: number; what: 'update' | 'masked'; numbers: number; bytes: number }[];
}

interface Round {
  round: number;
  at: string;
  mode: 'poisson' | 'full' | 'secure';
  noise: number;
  rate: number;
  dimension: number;
  epsilon: number | null;
}

/** What federated learning has cost and would cost, and what leaves this machine. */
export function PrivacyView() {
  const { data, error, reload } = usePolled((signal) => api<Privacy>('GET', '/api/privacy', { signal }), POLL_MS);
  return (
    <>
      <ViewHead title={t('nav.privacy')} about={t('privacy.about')} />
      <Loaded data={data} error={error}>
        {({ spending, nextEpsilon, rounds, client }) =>
          spending || client ? (
            <>
              {client && <TakesPart {...client} reload={reload} />}
              {spending && <Spent spending={spending} nextEpsilon={nextEpsilon} />}
              {rounds.length > 0 && <Rounds rounds={rounds} />}
            </>
          ) : (
            <section class="card">
              <Empty icon="privacy" title={t('privacy.nothing')}>
                <p>{t('privacy.nothing.about')}</p>
              </Empty>
            </section>
          )
        }
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

function Spent({
  spending,
  nextEpsilon,
}: {
  spending: NonNullable<Privacy['spending']>;
  nextEpsilon: Privacy['nextEpsilon'];
}) {
  const { epsilon, budget, delta, rounds } = spending;
  if (epsilon === null) {
    return <Notice tone="bad" title={t('privacy.unbounded')}>{` ${t('privacy.unbounded.about')}`}</Notice>;
  }
  const allows = nextEpsilon != null && nextEpsilon <= budget;
  return (
    <section class="card">
      <h2>{t('privacy.spent')}</h2>
      <div class="figures">
        <div class="figure-wide">
          <dl>
            <dt>{t('privacy.epsilon')}</dt>
            <dd class={`${toneAt(EPSILON, epsilon)}-text`}>
              {t('privacy.of', { epsilon: short(epsilon), budget: short(budget) })}
            </dd>
          </dl>
          <Meter value={epsilon} max={budget} label={t('privacy.spent')} />
        </div>
        <dl>
          <dt>{t('privacy.rounds')}</dt>
          <dd>{count(rounds)}</dd>
        </dl>
        <dl>
          <dt>δ</dt>
          <dd>{delta.toExponential()}</dd>
        </dl>
        {nextEpsilon != null && (
          <dl>
            <dt>{t('privacy.next')}</dt>
            <dd>
              ε = {short(nextEpsilon)}{' '}
              <Badge tone={allows ? 'good' : 'bad'}>
                {t(allows ? 'privacy.next.allowed' : 'privacy.next.refused')}
              </Badge>
            </dd>
          </dl>
        )}
      </div>
      <p class="hint">{t('privacy.meaning')}</p>
    </section>
  );
}

/** What this installation has sent as a client of a federation, exactly, and the switch that stops it. */
function TakesPart({ installed, isPaused, sent, reload }: Client & { reload: () => Promise<void> }) {
  const set = async (paused: boolean) => {
    await attempt(() => api('POST', '/api/privacy/participation', { body: { paused } }));
    await reload();
  };
  return (
    <section class="card">
      <div class="card-head">
        <h2>
          {t('privacy.client')}{' '}
          <Badge tone={isPaused ? 'none' : 'good'}>{t(isPaused ? 'privacy.client.paused' : 'privacy.client.on')}</Badge>
        </h2>
        <Button icon={isPaused ? 'play' : 'stop'} onClick={() => set(!isPaused)}>
          {t(isPaused ? 'privacy.client.resume' : 'privacy.client.pause')}
        </Button>
      </div>
      <p>{t(isPaused ? 'privacy.client.paused.about' : 'privacy.client.on.about')}</p>
      <p>{installed > 0 ? t('privacy.client.model', { version: installed }) : t('privacy.client.own')}</p>
      <h3>{t('privacy.sent')}</h3>
      {sent.length === 0 ? <p>{t('privacy.client.nothing')}</p> : <Sent sent={sent} />}
      <p class="muted">
        {t('privacy.client.leave')} <code>npx phoenix federate leave</code>
      </p>
    </section>
  );
}

/** Every update that left, to the byte. */
function Sent({ sent }: Pick<Client, 'sent'>) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t('privacy.sent')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('privacy.round')}</th>
            <th scope="col">{t('privacy.when')}</th>
            <th scope="col">{t('privacy.what')}</th>
            <th scope="col">{t('privacy.numbers')}</th>
            <th scope="col">{t('privacy.bytes')}</th>
          </tr>
        </thead>
        <tbody>
          {sent.map(({ at, round, what, numbers, bytes }) => (
            <tr key={at}>
              <td>{round}</td>
              <td>{moment(Date.parse(at))}</td>
              <td>{t(`privacy.sent.${what}`)}</td>
              <td class="number">{count(numbers)}</td>
              <td class="number">{count(bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What was released of this machine's folder, to the number. */
function Rounds({ rounds }: { rounds: readonly Round[] }) {
  return (
    <section class="card">
      <h2>{t('privacy.released')}</h2>
      <p class="muted">{t('privacy.released.about')}</p>
      <div class="table-box" tabIndex={0} role="region" aria-label={t('privacy.released')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('privacy.round')}</th>
              <th scope="col">{t('privacy.when')}</th>
              <th scope="col">{t('privacy.who')}</th>
              <th scope="col">{t('privacy.noise')}</th>
              <th scope="col">{t('privacy.numbers')}</th>
              <th scope="col">ε</th>
            </tr>
          </thead>
          <tbody>
            {rounds.map(({ round, at, mode, noise, rate, dimension, epsilon }) => (
              <tr key={round}>
                <td>{round}</td>
                <td>{moment(Date.parse(at))}</td>
                <td>{mode === 'poisson' ? percent(rate) : t('privacy.everybody')}</td>
                <td class="number">{short(noise)}</td>
                <td class="number">{count(dimension)}</td>
                <td class="number">{epsilon === null ? '∞' : short(epsilon)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
