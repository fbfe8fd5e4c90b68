import { useState } from 'preact/hooks';
import { Button } from '../../components/basics.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { attempt, say } from '../../components/toast.tsx';
import { api, query } from '../../lib/api.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import type { SkillStatusReport } from '../../lib/types.ts';
import type { Turn } from './conversation.ts';

type Verdict = { helpful: boolean } | { skill: string | null };

/** Whether an answer helped, and which skill would have been right: the router learns from it. Nothing where the server takes none. */
export function Feedback({ turn }: { turn: Turn }) {
  const [given, setGiven] = useState<boolean>();
  const [isAsking, setAsking] = useState(false);
  const id = turn.details?.request_id;
  // The model by itself is asked without a router.
  if (id === undefined || turn.model !== 'phoenix') return null;
  const give = async (verdict: Verdict) => {
    const body = { request_id: id, text: turn.question, ...verdict };
    return await attempt(() => api('POST', '/api/feedback', { body }));
  };
  const judge = async (helpful: boolean) => {
    if (!(await give({ helpful }))) return;
    setGiven(helpful);
    if (helpful) say(t('feedback.thanks'));
    else setAsking(true);
  };
  return (
    <>
      <Button
        kind="quiet"
        icon="up"
        label={t('feedback.helped')}
        pressed={given === true}
        disabled={given !== undefined}
        onClick={() => judge(true)}
      />
      <Button
        kind="quiet"
        icon="down"
        label={t('feedback.didNot')}
        pressed={given === false}
        disabled={given !== undefined}
        onClick={() => judge(false)}
      />
      {isAsking && (
        <RightSkill
          question={turn.question}
          onChoose={async (skill) => {
            if (await give({ skill })) say(t('feedback.thanks'));
            setAsking(false);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

interface RightSkillProps {
  question: string;
  onChoose: (skill: string | null) => void;
  onClose: () => void;
}

/** Asks which skill would have been right, of those that requests are routed to. */
function RightSkill({ question, onChoose, onClose }: RightSkillProps) {
  const { data } = usePolled(async (signal) => {
    const path = `/api/router/explain?${query({ text: question })}`;
    const [{ skills: routed }, { skills }] = await Promise.all([
      api<{ skills: { skill: string }[] }>('GET', path, { signal }),
      api<{ skills: SkillStatusReport[] }>('GET', '/api/skills', { signal }),
    ]);
    return skills.filter(({ name }) => routed.some(({ skill }) => skill === name));
  }, 0);
  return (
    <Dialog title={t('feedback.which')} onClose={onClose}>
      <p class="muted">{t('feedback.which.about')}</p>
      <ul class="choices">
        {data?.map(({ name, description }) => (
          <li key={name}>
            <button type="button" class="suggestion" onClick={() => onChoose(name)}>
              <strong>{name}</strong> <span class="muted">{description}</span>
            </button>
          </li>
        ))}
        <li>
          <button type="button" class="suggestion" onClick={() => onChoose(null)}>
            {t('feedback.none')}
          </button>
        </li>
      </ul>
    </Dialog>
  );
}
