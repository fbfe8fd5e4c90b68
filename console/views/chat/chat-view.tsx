import { useEffect, useRef } from 'preact/hooks';
import { Button, ViewHead } from '../../components/basics.tsx';
import { api } from '../../lib/api.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import { useStore } from '../../lib/store.ts';
import { Answer } from './answer.tsx';
import { Composer } from './composer.tsx';
import { ask, model, startOver, turns } from './conversation.ts';

/** Talk to the assistant, and see what it does. */
export function ChatView() {
  const all = useStore(turns);
  const end = useRef<HTMLDivElement>(null);
  const last = all.at(-1);
  const isWriting = last?.state === 'writing';
  const length = last?.pieces.length ?? 0;

  // It follows the text as it grows.
  useEffect(() => {
    if (all.length > 0) end.current?.scrollIntoView({ block: 'end' });
  }, [all.length, length, last?.state]);

  return (
    <>
      <ViewHead title={t('nav.chat')} about={all.length === 0 ? undefined : t('chat.about')}>
        <ModelChoice />
        {all.length > 0 && (
          <Button icon="plus" onClick={startOver}>
            {t('chat.new')}
          </Button>
        )}
      </ViewHead>
      <div class="turns" role="log" aria-live="polite" aria-busy={isWriting} aria-label={t('chat.log')}>
        {all.length === 0 && <Welcome />}
        {all.map((turn, n) => (
          <Answer turn={turn} isLast={n === all.length - 1} key={turn.id} />
        ))}
        <div ref={end} class="turns-end" />
      </div>
      <Composer isWriting={isWriting} />
    </>
  );
}

function Welcome() {
  const examples = [t('chat.example.1'), t('chat.example.2'), t('chat.example.3')];
  return (
    <section class="welcome">
      <h2>{t('chat.welcome')}</h2>
      <p class="muted">{t('chat.welcome.about')}</p>
      <ol>
        {examples.map((example) => (
          <li>
            <button type="button" class="suggestion" onClick={() => void ask(example)}>
              {example}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Who answers: the assistant with its memory, or the language model alone. */
function ModelChoice() {
  const chosen = useStore(model);
  const { data } = usePolled(
    (signal) => api<{ data: { id: string; can_chat?: boolean }[] }>('GET', '/v1/models', { signal }),
    0,
  );
  const models = data?.data ?? [{ id: chosen }];
  return (
    <label class="select">
      <span class="visually-hidden">{t('chat.model')}</span>
      <select value={chosen} onChange={(event) => model.set(event.currentTarget.value)}>
        {models.map(({ id, can_chat }) => (
          <option value={id}>
            {id === 'phoenix' ? t('chat.model.assistant') : can_chat === false ? t('chat.model.noTalk', { id }) : id}
          </option>
        ))}
      </select>
    </label>
  );
}
