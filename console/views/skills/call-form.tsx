import { useState } from 'preact/hooks';
import { Button, Notice } from '../../components/basics.tsx';
import { Field } from '../../components/field.tsx';
import { milliseconds } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import type { SkillCallAnswer, SkillStatusReport } from '../../lib/types.ts';
import { callSkill } from './skills.ts';

/** Calls a skill by hand. A skill that does not run is launched for it. */
export function CallForm({ skill: { name } }: { skill: SkillStatusReport }) {
  const isSql = name === 'sql';
  const [prompt, setPrompt] = useState(isSql ? 'SELECT subject, verb, object FROM entity_memory LIMIT 5' : '');
  const [parameters, setParameters] = useState('');
  const [maxTokens, setMaxTokens] = useState(isSql ? '' : '32');
  const [answer, setAnswer] = useState<SkillCallAnswer | Error>();
  const [isRunning, setRunning] = useState(false);
  const call = async (event: Event) => {
    event.preventDefault();
    setRunning(true);
    try {
      setAnswer(
        await callSkill(name, {
          prompt,
          ...(maxTokens !== '' && { maxTokens: Number(maxTokens) }),
          ...(parameters.trim() !== '' && { parameters: readParameters(parameters) }),
        }),
      );
    } catch (error) {
      setAnswer(error as Error);
    }
    setRunning(false);
  };
  return (
    <section class="card">
      <h2>{t('call.title')}</h2>
      <form class="call-form" onSubmit={call}>
        <Field label={t('call.prompt')} value={prompt} onInput={setPrompt} multiline required />
        <div class="row">
          {isSql ? (
            <Field
              label={t('call.parameters')}
              hint={t('call.parameters.hint')}
              value={parameters}
              onInput={setParameters}
            />
          ) : (
            <Field label={t('call.maxTokens')} type="number" value={maxTokens} onInput={setMaxTokens} />
          )}
          <Button kind="primary" icon="play" submits disabled={isRunning}>
            {t(isRunning ? 'action.running' : 'call.run')}
          </Button>
        </div>
      </form>
      {answer && <Result answer={answer} />}
    </section>
  );
}

function Result({ answer }: { answer: SkillCallAnswer | Error }) {
  if (answer instanceof Error) return <Notice tone="bad">{answer.message}</Notice>;
  return (
    <>
      <p class="muted">
        {answer.model} · {milliseconds(answer.latencyMs)} · {answer.finishReason}
      </p>
      <pre class="result" tabIndex={0}>
        {pretty(answer.text)}
      </pre>
    </>
  );
}

/** Values separated by commas: JSON where it is JSON, text otherwise. */
function readParameters(text: string): (string | number | null)[] {
  return text.split(',').map((part) => {
    const value = part.trim();
    if (value === 'null') return null;
    return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  });
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
