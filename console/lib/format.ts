/** Numbers and times as people read them, in the language of the page. */
import { language } from './i18n.ts';

const MIB = 1024 ** 2;

function number(value: number, options: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(language.get(), options).format(value);
}

export function count(value: number): string {
  return number(value, { maximumFractionDigits: 0 });
}

/** With as many digits as are worth reading: 0.31, 4.2, 87. */
export function short(value: number): string {
  const digits = Math.abs(value) < 1 ? 2 : Math.abs(value) < 10 ? 1 : 0;
  return number(value, { maximumFractionDigits: digits });
}

export function percent(share: number): string {
  return number(share, { style: 'percent', maximumFractionDigits: 0 });
}

export function bytes(value: number): string {
  if (value >= 1024 * MIB) return `${short(value / (1024 * MIB))} GiB`;
  return value >= MIB ? `${short(value / MIB)} MiB` : `${short(value / 1024)} KiB`;
}

export function milliseconds(value: number): string {
  return value < 1000 ? `${short(value)} ms` : `${short(value / 1000)} s`;
}

/** A moment: the time alone when it is today. */
export function moment(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  const date = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  return new Intl.DateTimeFormat(
    language.get(),
    isToday ? { ...time, second: '2-digit' } : { ...date, ...time },
  ).format(at);
}

/** How long ago, in the largest unit that fits. */
export function ago(at: number, now = Date.now()): string {
  const seconds = Math.round((at - now) / 1000);
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ] as const;
  const format = new Intl.RelativeTimeFormat(language.get(), { numeric: 'auto' });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return format.format(seconds, 'second');
}
