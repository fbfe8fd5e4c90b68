import { render } from 'preact';
import { App } from './app.tsx';
import { applyLanguage } from './lib/i18n.ts';
import { applyTheme } from './lib/settings.ts';

applyTheme();
applyLanguage();
const root = document.getElementById('console');
if (root) render(<App />, root);
