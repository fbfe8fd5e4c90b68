import type { ComponentChildren } from 'preact';
import { Button } from '../../components/basics.tsx';
import { milliseconds, percent, short } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { address } from '../../lib/route.ts';
import { useStore } from '../../lib/store.ts';
import type { Origin } from '../../lib/types.ts';
import { FactList } from '../memory/fact-list.tsx';
import { coloured } from './answer.tsx';
import type { Details, Routed, Turn } from './conversation.ts';

const ORIGINS: readonly Origin[] = ['draft', 'ngram', 'corrected', 'target'];

/** Under an answer: facts, skills with their times, where its tokens came from, and how fast they came. */
export function WhatHappened({ turn, details, isOpen }: { turn: Turn; details: Details; isOpen: boolean }) {
  const { stored, recalled, forgotten, work } = details;
  return (
    <details class="happened" open={isOpen}>
      <summary>
        {t('chat.happened')}
        <span class="muted">{summaryOf(details)}</span>
      </summary>
      <dl>
        {stored.length > 0 && (
          <Row name={t('chat.stored')}>
            <FactList facts={stored} />
          </Row>
        )}
        {recalled.length > 0 && (
          <Row name={t('chat.recalled')}>
            <FactList facts={recalled} />
            {details.memory && <p class="muted">{t(`chat.memory.${details.memory}`)}</p>}
          </Row>
        )}
        {forgotten > 0 && <Row name={t('chat.forgotten')}>{t('facts', { n: forgotten })}</Row>}
        {details.skills && turn.model === 'phoenix' && <RoutedTo question={turn.question} skills={details.skills} />}
        <Row name={t('chat.skills')}>
          {work.skills.length === 0 ? (
            <span class="muted">{t('chat.skills.none')}</span>
          ) : (
            <ul class="uses">
              {work.skills.map(({ name, calls, failed, ms }) => (
                <li>
                  <a href={address('skills', name)}>{name}</a> {t('calls', { n: calls })}
                  {ms !== undefined && <>, {milliseconds(ms)}</>}
                  {failed > 0 && <strong class="bad-text">, {t('chat.failedCalls', { n: failed })}</strong>}
                </li>
              ))}
            </ul>
          )}
        </Row>
        {work.memory.length > 0 && (
          <Row name={t('nav.memory')}>
            <ul class="uses">
              {work.memory.map(({ name, calls, ms }) => (
                <li>
                  {name} {calls > 1 && `× ${calls}`} <span class="muted">{ms !== undefined && milliseconds(ms)}</span>
                </li>
              ))}
            </ul>
          </Row>
        )}
        {details.generated_by ? (
          <Tokens turn={turn} details={details} />
        ) : (
          <Row name={t('chat.by')}>{t('chat.by.rules')}</Row>
        )}
      </dl>
    </details>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="row-pair">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What the router chose, how sure it was, and what came of it. */
function RoutedTo({ question, skills }: { question: string; skills: readonly Routed[] }) {
  return (
    <Row name={t('nav.router')}>
      <ul class="uses">
        {skills.map(({ skill, score, status, error }) => (
          <li key={skill}>
            {skill} <strong>{percent(score)}</strong>{' '}
            <span class={status === 'failed' ? 'bad-text' : 'muted'}>{error ?? t(`route.${status}`)}</span>
          </li>
        ))}
        <li>
          {skills.length === 0 && `${t('route.none')} `}
          <a href={address('router', question)}>{t('route.why')}</a>
        </li>
      </ul>
    </Row>
  );
}

function summaryOf({ stored, recalled, forgotten, work, generated_by }: Details): string {
  const parts = [
    milliseconds(work.totalMs),
    stored.length > 0 ? t('chat.sum.stored', { n: stored.length }) : '',
    recalled.length > 0 ? t('chat.sum.recalled', { n: recalled.length }) : '',
    forgotten > 0 ? t('chat.sum.forgotten', { n: forgotten }) : '',
    work.skills.map(({ name }) => name).join(', '),
    generated_by ?? t('chat.sum.rules'),
  ];
  return parts.filter(Boolean).join(' · ');
}

/** Which model wrote it, where its tokens came from, and how fast they came. */
function Tokens({ turn, details }: { turn: Turn; details: Details }) {
  const isColoured = useStore(coloured);
  const { tokensPerSecond, plainTokensPerSecond, firstPieceMs } = details.work;
  const counts = ORIGINS.map(
    (origin) => [origin, turn.pieces.filter((piece) => piece.origin === origin).length] as const,
  );
  const total = counts.reduce((sum, [, n]) => sum + n, 0);
  return (
    <>
      <Row name={t('chat.by')}>{details.generated_by}</Row>
      {total > 0 && (
        <Row name={t('chat.tokens')}>
          <div class="origin-bar" aria-hidden="true">
            {counts.map(([origin, n]) => (
              <span class={origin} style={{ flexGrow: n }} />
            ))}
          </div>
          <ul class="legend">
            {counts.map(([origin, n]) => (
              <li>
                <span class={`swatch ${origin}`} aria-hidden="true" />
                {t(`origin.${origin}`)} <strong>{n}</strong> <span class="muted">{percent(n / total)}</span>
              </li>
            ))}
          </ul>
          <Button kind="quiet" pressed={isColoured} onClick={() => coloured.set(!isColoured)}>
            {t(isColoured ? 'chat.colours.hide' : 'chat.colours.show')}
          </Button>
        </Row>
      )}
      <Row name={t('chat.speed')}>
        {tokensPerSecond === undefined ? (
          <span class="muted">{t('chat.speed.short')}</span>
        ) : (
          <>
            <strong>{t('chat.speed.now', { n: short(tokensPerSecond) })}</strong>
            {plainTokensPerSecond !== undefined && (
              <span class="muted"> {t('chat.speed.plain', { n: short(plainTokensPerSecond) })}</span>
            )}
          </>
        )}
        {firstPieceMs !== undefined && <p class="muted">{t('chat.first', { time: milliseconds(firstPieceMs) })}</p>}
      </Row>
    </>
  );
}
