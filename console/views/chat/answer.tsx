import { Button, Notice } from '../../components/basics.tsx';
import { attempt, say } from '../../components/toast.tsx';
import { t } from '../../lib/i18n.ts';
import { createKeptStore, useStore } from '../../lib/store.ts';
import { retry, type Turn, textOf } from './conversation.ts';
import { Feedback } from './feedback.tsx';
import { WhatHappened } from './what-happened.tsx';

/** Whether tokens show where they came from. */
export const coloured = createKeptStore('phoenix.origins', localStorage, true, (value) => typeof value === 'boolean');

/** A question with its answer, what can be done with it, and what happened. */
export function Answer({ turn, isLast }: { turn: Turn; isLast: boolean }) {
  const { question, state, error, cutOff, details } = turn;
  return (
    <article class="turn">
      <p class="question">
        <span class="visually-hidden">{t('chat.you')}: </span>
        {question}
      </p>
      <div class="answer">
        <Text turn={turn} />
        {state === 'stopped' && <p class="muted">{t('chat.stopped')}</p>}
        {state === 'lost' && <Notice tone="warn">{t('chat.lost')}</Notice>}
        {state === 'failed' && <Notice tone="bad">{error}</Notice>}
        {cutOff && <p class="muted">{t('chat.cutOff')}</p>}
        {state !== 'writing' && <Actions turn={turn} isLast={isLast} />}
        {details && <WhatHappened turn={turn} details={details} isOpen={isLast} />}
      </div>
    </article>
  );
}

function Text({ turn }: { turn: Turn }) {
  const isColoured = useStore(coloured);
  const { pieces, state } = turn;
  if (pieces.length === 0 && state === 'writing') {
    return (
      <p class="answer-text">
        <span class="spinner" aria-hidden="true" />
        <span class="visually-hidden">{t('chat.thinking')}</span>
      </p>
    );
  }
  const hasOrigins = isColoured && pieces.some(({ origin }) => origin !== undefined);
  return (
    <p class="answer-text">
      {hasOrigins
        ? pieces.map(({ text, origin = 'target' }) => <span class={`token ${origin}`}>{text}</span>)
        : textOf(turn)}
      {state === 'writing' && <span class="caret" aria-hidden="true" />}
    </p>
  );
}

function Actions({ turn, isLast }: { turn: Turn; isLast: boolean }) {
  const copy = () =>
    attempt(async () => {
      await navigator.clipboard.writeText(textOf(turn));
      say(t('copied'));
    });
  return (
    <div class="answer-actions">
      {turn.pieces.length > 0 && <Button kind="quiet" icon="copy" label={t('copy')} onClick={copy} />}
      {isLast && <Button kind="quiet" icon="retry" label={t('chat.retry')} onClick={retry} />}
      <Feedback turn={turn} />
    </div>
  );
}
