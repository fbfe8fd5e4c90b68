import { useState } from 'preact/hooks';
import { Button } from '../components/basics.tsx';
import { Field } from '../components/field.tsx';
import { ApiError, api, token } from '../lib/api.ts';
import { generation, needsToken } from '../lib/connection.ts';
import { t } from '../lib/i18n.ts';

/** Asks for the token of the server. */
export function Login() {
  const [value, setValue] = useState('');
  const [error, setError] = useState('');
  const enter = async (event: Event) => {
    event.preventDefault();
    token.set(value.trim());
    try {
      await api('GET', '/v1/models');
      generation.set(generation.get() + 1);
      needsToken.set(false);
    } catch (failure) {
      token.set('');
      setError(failure instanceof ApiError && failure.status === 401 ? t('login.wrong') : (failure as Error).message);
    }
  };
  return (
    <form class="login card" onSubmit={enter}>
      <h1 tabIndex={-1}>{t('login.title')}</h1>
      <p class="muted">{t('login.about')}</p>
      <Field label={t('login.token')} type="password" value={value} onInput={setValue} required autoFocus />
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <Button kind="primary" submits>
        {t('login.enter')}
      </Button>
    </form>
  );
}
