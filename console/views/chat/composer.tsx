import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../components/basics.tsx';
import { t } from '../../lib/i18n.ts';
import { ask, stop } from './conversation.ts';

/** Highest that the field grows to, in pixels. */
const MAX_HEIGHT = 200;

/** Where a message is written. Enter sends, Shift and Enter begin a line. */
export function Composer({ isWriting }: { isWriting: boolean }) {
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);

  // Its height goes by the text.
  useEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);

  const send = () => {
    const question = text.trim();
    if (question === '' || isWriting) return;
    setText('');
    void ask(question);
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label class="visually-hidden" for="message">
        {t('chat.message')}
      </label>
      <textarea
        id="message"
        ref={field}
        rows={1}
        value={text}
        placeholder={t('chat.placeholder')}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {isWriting ? (
        <Button icon="stop" onClick={stop}>
          {t('chat.stop')}
        </Button>
      ) : (
        <Button kind="primary" icon="send" submits disabled={text.trim() === ''}>
          {t('chat.send')}
        </Button>
      )}
    </form>
  );
}
