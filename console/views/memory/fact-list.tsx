import { useState } from 'preact/hooks';
import { Button } from '../../components/basics.tsx';
import { t } from '../../lib/i18n.ts';
import { CorrectDialog, FactText, ForgetDialog, TimelineDialog } from './fact-dialogs.tsx';
import { type Fact, spoken } from './facts.ts';

/** A few facts; each can be corrected or forgotten where it stands. */
export function FactList({ facts }: { facts: readonly Fact[] }) {
  return (
    <ul class="fact-list">
      {facts.map((fact) => (
        <FactItem fact={fact} key={JSON.stringify([fact.subject, fact.verb, fact.object])} />
      ))}
    </ul>
  );
}

function FactItem({ fact }: { fact: Fact }) {
  const [now, setNow] = useState<Fact | 'forgotten'>(fact);
  if (now === 'forgotten') {
    return (
      <li class="gone">
        <FactText {...fact} /> <span class="muted">{t('memory.isForgotten')}</span>
      </li>
    );
  }
  return (
    <li>
      <FactText {...now} />
      <FactActions fact={now} onCorrected={setNow} onForgotten={() => setNow('forgotten')} />
    </li>
  );
}

interface FactActionsProps {
  fact: Fact;
  onCorrected: (to: Fact) => void;
  onForgotten: () => void;
}

/** What can be done with a fact. */
export function FactActions({ fact, onCorrected, onForgotten }: FactActionsProps) {
  const [open, setOpen] = useState<'timeline' | 'correct' | 'forget'>();
  const name = `${fact.subject} ${spoken(fact.verb)} ${fact.object}`;
  const close = () => setOpen(undefined);
  return (
    <span class="fact-actions">
      <Button
        kind="quiet"
        icon="clock"
        label={`${t('memory.timeline')}: ${name}`}
        onClick={() => setOpen('timeline')}
      />
      <Button kind="quiet" icon="edit" label={`${t('memory.correct')}: ${name}`} onClick={() => setOpen('correct')} />
      <Button kind="quiet" icon="trash" label={`${t('memory.forget')}: ${name}`} onClick={() => setOpen('forget')} />
      {open === 'timeline' && <TimelineDialog fact={fact} onClose={close} />}
      {open === 'correct' && (
        <CorrectDialog
          fact={fact}
          onClose={(to) => {
            close();
            if (to) onCorrected(to);
          }}
        />
      )}
      {open === 'forget' && (
        <ForgetDialog
          fact={fact}
          onClose={(isDone) => {
            close();
            if (isDone) onForgotten();
          }}
        />
      )}
    </span>
  );
}
