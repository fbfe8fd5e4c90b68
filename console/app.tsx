import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Button, Notice } from './components/basics.tsx';
import { Icon } from './components/icon.tsx';
import { Toasts } from './components/toast.tsx';
import { connection, generation, needsToken } from './lib/connection.ts';
import { language, t } from './lib/i18n.ts';
import { address, route, VIEWS, type View } from './lib/route.ts';
import { isDark, nextTheme, theme } from './lib/settings.ts';
import { useStore } from './lib/store.ts';
import { ChatView } from './views/chat/chat-view.tsx';
import { Login } from './views/login.tsx';
import { MemoryView } from './views/memory/memory-view.tsx';
import { MetricsView } from './views/metrics/metrics-view.tsx';
import { PrivacyView } from './views/privacy/privacy-view.tsx';
import { RouterView } from './views/router/router-view.tsx';
import { SkillsView } from './views/skills/skills-view.tsx';

const PAGES: Record<View, FunctionComponent<{ rest: string }>> = {
  chat: ChatView,
  skills: SkillsView,
  memory: MemoryView,
  metrics: MetricsView,
  router: RouterView,
  privacy: PrivacyView,
};

export function App() {
  const { view, rest } = useStore(route);
  const spoken = useStore(language);
  const isLost = useStore(connection) === 'lost';
  const isLocked = useStore(needsToken);
  useStore(theme);

  useEffect(() => {
    document.title = `${t(`nav.${view}`)} · Phoenix`;
  }, [view, spoken]);
  useFocusOnView(view);

  const Page = PAGES[view];
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {t('skip')}
      </button>
      <Sidebar view={view} />
      <main id="main" tabIndex={-1} class={`view ${view}`}>
        {isLost && <Notice tone="warn">{t('lost')}</Notice>}
        {isLocked ? <Login /> : <Page rest={rest} key={view} />}
      </main>
      <Toasts />
    </div>
  );
}

function Sidebar({ view }: { view: View }) {
  return (
    <nav class="sidebar" aria-label={t('nav')}>
      <a class="brand" href={address('chat')}>
        <img src="/console/icon.svg" alt="" width="26" height="26" />
        Phoenix
      </a>
      <ul>
        {VIEWS.map((each) => (
          <li>
            <a href={address(each)} aria-current={each === view ? 'page' : undefined}>
              <Icon name={each} />
              <span>{t(`nav.${each}`)}</span>
            </a>
          </li>
        ))}
      </ul>
      <footer>
        <Status />
        <div class="row">
          <Button
            kind="quiet"
            icon={isDark() ? 'sun' : 'moon'}
            label={t(isDark() ? 'light' : 'dark')}
            onClick={nextTheme}
          />
          <LanguageSwitch />
        </div>
      </footer>
    </nav>
  );
}

function LanguageSwitch() {
  const spoken = useStore(language);
  const other = spoken === 'en' ? 'es' : 'en';
  return (
    <button type="button" class="button quiet" lang={other} onClick={() => language.set(other)}>
      {other === 'es' ? 'Español' : 'English'}
    </button>
  );
}

/** Whether the server is there, and which version it has. */
function Status() {
  const isLost = useStore(connection) === 'lost';
  const online = useStore(generation);
  const [version, setVersion] = useState('');
  // After an outage it may be another version.
  useEffect(() => {
    fetch('/health')
      .then(async (response) => setVersion(((await response.json()) as { version: string }).version))
      .catch(() => undefined);
  }, [online]);
  return (
    <p class={isLost ? 'status bad' : 'status good'}>
      <span class="dot" aria-hidden="true" />
      {isLost ? t('status.lost') : t('status.online', { version })}
    </p>
  );
}

/** Who changes the view by keyboard goes on at its heading; not when the page opens. */
function useFocusOnView(view: View) {
  const [shown, setShown] = useState(view);
  useEffect(() => {
    if (shown === view) return;
    setShown(view);
    document.querySelector<HTMLElement>('#main h1')?.focus();
  }, [view, shown]);
}
