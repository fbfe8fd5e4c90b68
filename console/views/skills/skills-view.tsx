import { Badge, Empty, Loaded, Meter, Notice, ViewHead } from '../../components/basics.tsx';
import { Icon } from '../../components/icon.tsx';
import { bytes, count, milliseconds, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import { address } from '../../lib/route.ts';
import type { SkillHistory, SkillStatusReport } from '../../lib/types.ts';
import { SkillDetail } from './skill-detail.tsx';
import { POLL_MS, readSkills, speedOf, toneOf, troubleOf } from './skills.ts';

/** All skills, or one of them. */
export function SkillsView({ rest }: { rest: string }) {
  const { data, error, reload } = usePolled(readSkills, POLL_MS);
  return (
    <Loaded data={data} error={error}>
      {({ skills, history }) => {
        if (rest === '') return <SkillList skills={skills} histories={history.skills} />;
        const skill = skills.find(({ name }) => name === rest);
        if (!skill) return <Notice tone="bad">{t('skills.unknown', { name: rest })}</Notice>;
        return <SkillDetail skill={skill} history={history.skills[rest]} reload={reload} key={rest} />;
      }}
    </Loaded>
  );
}

function SkillList({
  skills,
  histories,
}: {
  skills: readonly SkillStatusReport[];
  histories: Record<string, SkillHistory>;
}) {
  return (
    <>
      <ViewHead title={t('nav.skills')} about={t('skills.about')} />
      {skills.length === 0 ? (
        <Empty icon="skills" title={t('skills.none')}>
          <p>{t('skills.none.about')}</p>
          <code>npx phoenix skill new NAME</code>
        </Empty>
      ) : (
        <ul class="skill-cards">
          {skills.map((skill) => (
            <SkillCard skill={skill} history={histories[skill.name]} key={skill.name} />
          ))}
        </ul>
      )}
    </>
  );
}

function SkillCard({ skill, history }: { skill: SkillStatusReport; history: SkillHistory | undefined }) {
  const { name, version, description, state, isolation } = skill;
  const trouble = troubleOf(skill);
  return (
    <li class="card skill-card">
      <header>
        <h2>
          <a href={address('skills', name)}>{name}</a>
        </h2>
        <span class="muted">{version}</span>
        <Badge tone={toneOf(skill)}>{t(`state.${state}`)}</Badge>
      </header>
      <p class="muted">{description}</p>
      {trouble && !trouble.isOver && (
        <p class="bad-text with-icon">
          <Icon name="warning" />
          {t(`failure.${trouble.kind}`)}: {trouble.message.split('\n')[0]}
        </p>
      )}
      <Figures skill={skill} history={history} />
      <footer class="muted">{isolation ? t(`isolation.${isolation}`) : t('isolation.none')}</footer>
    </li>
  );
}

/** Memory against its limit, and how fast it answers. */
export function Figures({ skill, history }: { skill: SkillStatusReport; history: SkillHistory | undefined }) {
  const { memoryBytes, memoryLimitBytes, restarts } = skill;
  const { callsPerSecond, p50, p99 } = speedOf(history);
  const of = memoryLimitBytes === undefined ? '–' : bytes(memoryLimitBytes);
  return (
    <dl class="figures">
      <div class="figure-wide">
        <dt>{t('figure.memory')}</dt>
        <dd>
          {memoryBytes === undefined
            ? t('figure.memory.idle', { limit: of })
            : t('figure.memory.of', { used: bytes(memoryBytes), limit: of })}
          {memoryBytes !== undefined && memoryLimitBytes !== undefined && (
            <Meter value={memoryBytes} max={memoryLimitBytes} label={t('figure.memory')} />
          )}
        </dd>
      </div>
      <Figure
        name={t('figure.calls')}
        value={callsPerSecond === undefined ? '–' : t('figure.perSecond', { n: short(callsPerSecond) })}
      />
      <Figure name="p50" value={p50 === undefined ? '–' : milliseconds(p50)} />
      <Figure name="p99" value={p99 === undefined ? '–' : milliseconds(p99)} />
      <Figure name={t('figure.restarts')} value={count(restarts)} />
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
