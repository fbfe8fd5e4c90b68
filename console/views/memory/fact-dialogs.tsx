import { useState } from 'preact/hooks';
import { Button, Loaded } from '../../components/basics.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Choice, Field } from '../../components/field.tsx';
import { attempt, say } from '../../components/toast.tsx';
import { count, moment, percent } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import type { Triple } from '../../lib/types.ts';
import { correct, type Fact, forget, PARTS, partsOf, spoken, store, timeline } from './facts.ts';

/** A fact in one line. */
export function FactText({ subject, verb, object }: Fact) {
  return (
    <span class="fact-text">
      <b>{subject}</b> <i>{spoken(verb)}</i> <b>{object}</b>
    </span>
  );
}

/** Corrects a fact: it was wrong, or it was true until now. */
export function CorrectDialog({ fact, onClose }: { fact: Fact; onClose: (to?: Fact) => void }) {
  const [to, setTo] = useState(partsOf(fact));
  const [reason, setReason] = useState<'wrong' | 'changed'>('wrong');
  const save = async (event: Event) => {
    event.preventDefault();
    const isDone = await attempt(async () => {
      if (!(await correct(fact, to, reason === 'wrong'))) throw new Error(t('memory.gone'));
      say(t('memory.corrected'));
    });
    if (isDone) onClose(to);
  };
  return (
    <Dialog title={t('memory.correct')} onClose={() => onClose()}>
      <form onSubmit={save}>
        {PARTS.map((part) => (
          <Field
            label={t(`memory.${part}`)}
            value={to[part]}
            onInput={(value) => setTo({ ...to, [part]: value })}
            required
          />
        ))}
        <Choice
          label={t('memory.why')}
          value={reason}
          onChange={setReason}
          options={[
            { value: 'wrong', label: t('memory.wasWrong'), hint: t('memory.wasWrong.hint') },
            { value: 'changed', label: t('memory.hasChanged'), hint: t('memory.hasChanged.hint') },
          ]}
        />
        <DialogActions onCancel={() => onClose()}>
          <Button kind="primary" submits>
            {t('save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Forgets a fact, with its history. */
export function ForgetDialog({ fact, onClose }: { fact: Fact; onClose: (done?: boolean) => void }) {
  const erase = async () => {
    const isDone = await attempt(async () => {
      say(t('memory.forgotten', { n: await forget(fact) }));
    });
    if (isDone) onClose(true);
  };
  return (
    <Dialog title={t('memory.forget.ask')} onClose={() => onClose()}>
      <p>
        <FactText {...fact} />
      </p>
      <p class="muted">{t('memory.forget.about')}</p>
      <DialogActions onCancel={() => onClose()}>
        <Button kind="danger" onClick={erase}>
          {t('memory.forget')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** Tells the memory a new fact. */
export function AddDialog({ onClose }: { onClose: (done?: boolean) => void }) {
  const [fact, setFact] = useState({ subject: '', verb: '', object: '' });
  const [confidence, setConfidence] = useState('100');
  const save = async (event: Event) => {
    event.preventDefault();
    if (await attempt(() => store({ ...fact, confidence: Number(confidence) / 100 }))) {
      say(t('memory.added'));
      onClose(true);
    }
  };
  return (
    <Dialog title={t('memory.add')} onClose={() => onClose()}>
      <form onSubmit={save}>
        {PARTS.map((part) => (
          <Field
            label={t(`memory.${part}`)}
            value={fact[part]}
            placeholder={t(`memory.${part}.example`)}
            onInput={(value) => setFact({ ...fact, [part]: value })}
            required
          />
        ))}
        <div class="field">
          <label for="confidence">
            {t('memory.confidence')}: {confidence} %
          </label>
          <input
            id="confidence"
            type="range"
            min="1"
            max="100"
            value={confidence}
            onInput={(event) => setConfidence(event.currentTarget.value)}
          />
        </div>
        <DialogActions onCancel={() => onClose()}>
          <Button kind="primary" submits>
            {t('save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** What was true when, of one subject and verb. */
export function TimelineDialog({ fact, onClose }: { fact: Fact; onClose: () => void }) {
  const { data, error } = usePolled((signal) => timeline(fact, signal), 0, [fact]);
  return (
    <Dialog title={`${fact.subject} · ${spoken(fact.verb)}`} onClose={onClose}>
      <Loaded data={data} error={error}>
        {(triples) =>
          triples.length === 0 ? (
            <p class="muted">{t('memory.gone')}</p>
          ) : (
            <ol class="timeline">
              {triples.map((triple) => (
                <Period triple={triple} />
              ))}
            </ol>
          )
        }
      </Loaded>
    </Dialog>
  );
}

function Period({ triple }: { triple: Triple }) {
  const { object, validFrom, validTo, confidence, count: times, source, lastSeen } = triple;
  return (
    <li class={validTo === null ? 'now' : undefined}>
      <b>{object}</b>
      <p>
        {validTo === null
          ? t('memory.since', { from: moment(validFrom) })
          : t('memory.between', { from: moment(validFrom), to: moment(validTo) })}
      </p>
      <p class="muted">
        {t('memory.evidence', {
          n: times,
          count: count(times),
          confidence: percent(confidence),
          last: moment(lastSeen),
          source: t(`source.${source}`),
        })}
      </p>
    </li>
  );
}

function DialogActions({ children, onCancel }: { children: preact.ComponentChildren; onCancel: () => void }) {
  return (
    <div class="dialog-actions">
      <Button onClick={onCancel}>{t('cancel')}</Button>
      {children}
    </div>
  );
}
