import type { ComponentChildren } from 'preact';
import { t } from '../lib/i18n.ts';
import { Icon, type IconName } from './icon.tsx';

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  /** Says what an icon alone means. */
  label?: string;
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  onClick?: () => void;
  disabled?: boolean;
  pressed?: boolean;
  submits?: boolean;
}

export function Button({ children, icon, label, kind = 'plain', onClick, disabled, pressed, submits }: ButtonProps) {
  return (
    <button
      type={submits ? 'submit' : 'button'}
      class={`button ${kind}${children ? '' : ' icon-only'}`}
      onClick={onClick}
      disabled={disabled}
      aria-label={label}
      aria-pressed={pressed}
      title={children ? undefined : label}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'none';

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

interface NoticeProps {
  tone: Tone;
  title?: string;
  children?: ComponentChildren;
}

/** Something to know, with a sign that does not depend on colours. */
export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={tone === 'good' ? 'check' : 'warning'} />
      <div>
        {title && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  );
}

/** What stands where there is nothing yet, and what to do about it. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** While something is read for the first time. */
export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {t('loading')}
    </div>
  );
}

/** What was read, or why it could not be, or that it is being read. */
export function Loaded<T>({
  data,
  error,
  children,
}: {
  data: T | undefined;
  error: Error | undefined;
  children: (data: T) => ComponentChildren;
}) {
  if (data !== undefined) return <>{children(data)}</>;
  if (error) return <Notice tone="bad" title={t('failed')}>{` ${error.message}`}</Notice>;
  return <Loading />;
}

/** The head of a view: its name, a sentence about it, and what can be done. */
export function ViewHead({ title, about, children }: { title: string; about?: string; children?: ComponentChildren }) {
  return (
    <header class="view-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {about && <p class="muted">{about}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </header>
  );
}

/** A part of a limit, with the numbers beside it. */
export function Meter({ value, max, label }: { value: number; max: number; label: string }) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  const tone = share > 0.9 ? 'bad' : share > 0.75 ? 'warn' : 'good';
  return (
    <span
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span class={`meter-fill ${tone}`} style={{ width: `${share * 100}%` }} />
    </span>
  );
}
