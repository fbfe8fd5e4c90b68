import { ViewHead } from '../../components/basics.tsx';
import { t } from '../../lib/i18n.ts';

export function PrivacyView() {
  return <ViewHead title={t('nav.privacy')} />;
}
