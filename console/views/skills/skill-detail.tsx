import { useState } from 'preact/hooks';
import { Badge, Button, Notice } from '../../components/basics.tsx';
import { Icon, type IconName } from '../../components/icon.tsx';
import { attempt, say } from '../../components/toast.tsx';
import { ago, bytes, count, milliseconds, moment, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { address } from '../../lib/route.ts';
import type { SkillHistory, SkillStatusReport } from '../../lib/types.ts';
import { CallForm } from './call-form.tsx';
import { SkillLog } from './skill-log.tsx';
import { type Action, act, rightsOf, type Trouble, toneOf, troubleOf } from './skills.ts';
import { Figures } from './skills-view.tsx';

interface DetailProps {
  skill: SkillStatusReport;
  history: SkillHistory | undefined;
  reload: () => Promise<void>;
}

/** Everything about one skill. */
export function SkillDetail({ skill, history, reload }: DetailProps) {
  const { name, version, description, state, since } = skill;
  const trouble = troubleOf(skill);
  return (
    <>
      <a class="back" href={address('skills')}>
        <Icon name="back" />
        {t('nav.skills')}
      </a>
      <header class="view-head">
        <div>
          <h1 tabIndex={-1}>
            {name} <Badge tone={toneOf(skill)}>{t(`state.${state}`)}</Badge>
          </h1>
          <p class="muted">
            {description} · {version}
            {since !== undefined && ` · ${t('skills.since', { time: ago(since) })}`}
          </p>
        </div>
        <Actions skill={skill} reload={reload} />
      </header>
      {trouble && <Failure skill={skill} trouble={trouble} />}
      <section class="card">
        <Figures skill={skill} history={history} />
      </section>
      <div class="columns">
        <Isolation skill={skill} />
        <div class="column">
          <CallForm skill={skill} />
          <Events skill={skill} />
        </div>
      </div>
      <SkillLog name={name} />
    </>
  );
}

const ICONS: Record<Action, IconName> = { start: 'play', stop: 'stop', restart: 'retry', reload: 'code' };

function Actions({ skill, reload }: Pick<DetailProps, 'skill' | 'reload'>) {
  const [running, setRunning] = useState<Action>();
  const { name, state, isolation } = skill;
  const isUp = state === 'ready' || state === 'starting';
  // A container runs what is in its image.
  const whileUp: Action[] = isolation === 'container' ? ['restart', 'stop'] : ['reload', 'restart', 'stop'];
  const actions: Action[] = isUp ? whileUp : state === 'broken' ? [] : ['start'];
  const run = async (action: Action) => {
    setRunning(action);
    if (await attempt(() => act(name, action))) say(t(`action.${action}.done`, { name }));
    setRunning(undefined);
    await reload();
  };
  return (
    <div class="actions">
      {actions.map((action) => (
        <Button
          icon={ICONS[action]}
          kind={action === 'start' ? 'primary' : 'plain'}
          disabled={running !== undefined}
          onClick={() => run(action)}
          key={action}
        >
          {t(running === action ? 'action.running' : `action.${action}`)}
        </Button>
      ))}
    </div>
  );
}

/** What went wrong, why, and what happens next. */
function Failure({ skill: { state }, trouble }: { skill: SkillStatusReport; trouble: Trouble }) {
  const { kind, reason, exit, message, isOver } = trouble;
  const [first, ...rest] = message.split('\n');
  const waits = state === 'broken' || state === 'failed' || state === 'backing_off' ? state : 'other';
  return (
    <section class={isOver ? 'card failure over' : 'card failure'}>
      <h2 class="with-icon">
        <Icon name="warning" />
        {t(`failure.${kind}`)}
      </h2>
      <p>{reason ? t(`failure.${reason}`, { exit }) : first}</p>
      {rest.length > 0 && <pre>{rest.join('\n')}</pre>}
      <p class="muted">{t(isOver ? 'failure.next.over' : `failure.next.${waits}`)}</p>
    </section>
  );
}

/** How it is isolated, in words: what it may do, and what it may not. */
function Isolation({ skill }: { skill: SkillStatusReport }) {
  const { isolation, minimumIsolation, runtime, limits, instanceId } = skill;
  const { may, mayNot } = rightsOf(skill);
  return (
    <section class="card">
      <h2>{t('isolation')}</h2>
      <p>{isolation ? t(`isolation.${isolation}.about`) : t('isolation.none.about')}</p>
      {minimumIsolation && <p class="muted">{t('isolation.minimum', { level: t(`isolation.${minimumIsolation}`) })}</p>}
      {limits?.singleUse && <p class="muted">{t('isolation.singleUse')}</p>}
      {isolation === 'process' && <Notice tone="warn">{t('isolation.process.warning')}</Notice>}
      {isolation && (
        <ul class="rights">
          {may.map((key) => (
            <li class="may">
              <Icon name="check" />
              {t(key, valuesOf(skill))}
            </li>
          ))}
          {mayNot.map((key) => (
            <li class="may-not">
              <Icon name="cross" />
              {t(key)}
            </li>
          ))}
        </ul>
      )}
      {limits && (
        <dl class="pairs">
          <dt>{t('limit.memory')}</dt>
          <dd>{bytes(limits.memoryBytes)}</dd>
          <dt>{t('limit.cpus')}</dt>
          <dd>{short(limits.cpus)}</dd>
          <dt>{t('limit.processes')}</dt>
          <dd>{count(limits.processes)}</dd>
          <dt>{t('limit.tmp')}</dt>
          <dd>{bytes(limits.tmpBytes)}</dd>
          <dt>{t('limit.concurrency')}</dt>
          <dd>{count(limits.concurrency)}</dd>
        </dl>
      )}
      {instanceId && (
        <p class="muted">
          {runtime} · <code>{instanceId.slice(0, 12)}</code>
        </p>
      )}
    </section>
  );
}

/** The names that texts about its rights are filled in with. */
function valuesOf({ limits }: SkillStatusReport) {
  const list = (names: readonly string[] | undefined) => names?.join(', ') ?? '';
  return { models: list(limits?.models), native: list(limits?.native), folders: list(limits?.folders) };
}

/** What happened to it last, the latest first. */
function Events({ skill: { events } }: { skill: SkillStatusReport }) {
  const shown = events.toReversed().slice(0, 12);
  return (
    <section class="card">
      <h2>{t('events')}</h2>
      {shown.length === 0 ? (
        <p class="muted">{t('events.none')}</p>
      ) : (
        <ol class="events">
          {shown.map(({ at, what, detail, ms }) => (
            <li class={what === 'launch_failed' || what === 'circuit_open' ? 'bad' : undefined} key={`${at}${what}`}>
              <time dateTime={new Date(at).toISOString()}>{moment(at)}</time>
              <span>
                {t(`event.${what}`)}
                {ms !== undefined && ` · ${milliseconds(ms)}`}
                {detail && <span class="muted"> {detail.split('\n')[0]}</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
