/** What Intl says about the locales in argv, as JSON: { kind: { locale: answer } }. */
const locales = JSON.parse(process.argv[2] ?? '[]') as string[];

const DATE = Date.UTC(2024, 1, 9, 15, 4, 5);
const NUMBERS = [0, 1, -1234567.891, 0.5];
const WORDS =
  'zebra Äpfel apple öl ol ñandú nandu czar chico éclair eclair Straße strasse я а ё 語 文 あ ア 가 ا ب ก ข 2 10 - _'.split(
    ' ',
  );
const TEXT =
  'Hello, world. ภาษาไทยไม่มีช่องว่าง 日本語の文章を分割する。 ភាសាខ្មែរ ພາສາລາວ မြန်မာဘာသာ 中文分词测试 Ελληνικά; 👩‍👩‍👧!';
const ZONES = ['Europe/Madrid', 'America/New_York', 'UTC', 'Asia/Kolkata'];
const NAMES: Record<Intl.DisplayNamesType, string[]> = {
  language: ['de', 'pt-BR', 'zh-Hant'],
  region: ['FR', '419'],
  script: ['Latn', 'Cyrl'],
  calendar: ['gregory', 'hebrew'],
  currency: ['EUR', 'JPY'],
  dateTimeField: ['day', 'weekOfYear', 'era'],
};
const SERVICES = [
  ...['Collator', 'DateTimeFormat', 'DisplayNames', 'DurationFormat', 'ListFormat', 'NumberFormat', 'PluralRules'],
  ...['RelativeTimeFormat', 'Segmenter'],
];
// Not in the types of this version of TypeScript.
const { DurationFormat } = Intl as unknown as {
  DurationFormat: new (locale: string, options: object) => { format(duration: object): string };
};

const answers: Record<string, Record<string, unknown>> = {};
function add(kind: string, name: string, answer: () => unknown): void {
  answers[kind] ??= {};
  try {
    answers[kind][name] = answer();
  } catch (error) {
    answers[kind][name] = String(error);
  }
}
const numbers = (locale: string, options: Intl.NumberFormatOptions) => {
  const format = new Intl.NumberFormat(locale, options);
  return NUMBERS.map((value) => format.format(value));
};

function ofLocale(locale: string): void {
  const say = (kind: string, answer: () => unknown) => add(kind, locale, answer);
  say('decimal', () => numbers(locale, {}));
  say('percent', () => numbers(locale, { style: 'percent' }));
  say('scientific', () => numbers(locale, { notation: 'scientific' }));
  for (const compactDisplay of ['short', 'long'] as const)
    say(`compact ${compactDisplay}`, () => numbers(locale, { notation: 'compact', compactDisplay }));
  for (const currencyDisplay of ['symbol', 'narrowSymbol', 'name', 'code'] as const)
    say(`currency ${currencyDisplay}`, () =>
      ['EUR', 'JPY'].map((currency) => numbers(locale, { style: 'currency', currency, currencyDisplay })),
    );
  for (const dateStyle of ['full', 'long', 'medium', 'short'] as const) {
    const options = { dateStyle, timeStyle: dateStyle === 'short' ? 'short' : 'medium', timeZone: 'UTC' } as const;
    say(`date ${dateStyle}`, () => new Intl.DateTimeFormat(locale, options).format(DATE));
  }
  say('range', () =>
    new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).formatRange(DATE, DATE + 9e8),
  );
  say('sorting', () => [...WORDS].sort(new Intl.Collator(locale).compare));
  for (const type of ['cardinal', 'ordinal'] as const)
    say(type, () => [0, 1, 2, 3, 5, 11, 21, 1.5].map((n) => new Intl.PluralRules(locale, { type }).select(n)));
  for (const style of ['long', 'short', 'narrow'] as const) {
    const format = new Intl.RelativeTimeFormat(locale, { style, numeric: 'auto' });
    say(`relative ${style}`, () =>
      (['day', 'month', 'hour'] as const).flatMap((unit) => [-1, 3].map((n) => format.format(n, unit))),
    );
    say(`duration ${style}`, () => new DurationFormat(locale, { style }).format({ years: 2, minutes: 1, seconds: 3 }));
    say(`unit ${style}`, () =>
      ['kilometer', 'liter-per-kilometer', 'byte'].map((unit) =>
        new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: style }).format(3),
      ),
    );
  }
  say('clock', () => new DurationFormat(locale, { style: 'digital' }).format({ hours: 1, minutes: 2, seconds: 3 }));
  for (const type of ['conjunction', 'disjunction'] as const)
    say(`list ${type}`, () => new Intl.ListFormat(locale, { type }).format(['a', 'b', 'c']));
  say('case', () => ['iI straße Έλα'.toLocaleUpperCase(locale), 'Iİ'.toLocaleLowerCase(locale)]);
  say('locale', () => {
    const one = new Intl.Locale(locale) as unknown as Record<string, () => unknown>;
    const asked = ['maximize', 'minimize', 'getCalendars', 'getCollations', 'getHourCycles', 'getNumberingSystems'];
    return [...asked, 'getTextInfo', 'getWeekInfo', 'getTimeZones'].map((name) => one[name]?.());
  });
  for (const service of SERVICES)
    say(`supported by ${service}`, () =>
      (Intl as unknown as Record<string, typeof Intl.Collator>)[service]?.supportedLocalesOf(locale),
    );
  for (const timeZoneName of ['long', 'short', 'longOffset', 'longGeneric'] as const)
    say(`zone ${timeZoneName}`, () =>
      ZONES.map((timeZone) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName }).format(DATE)),
    );
  for (const [type, codes] of Object.entries(NAMES)) {
    const names = new Intl.DisplayNames(locale, { type: type as Intl.DisplayNamesType });
    say(`names ${type}`, () => codes.map((code) => names.of(code)));
  }
}

/** What a region does not change: calendars with their own numbers, and where words end. */
function ofLanguage(locale: string): void {
  for (const calendar of Intl.supportedValuesOf('calendar'))
    add(`calendar ${calendar}`, locale, () =>
      (['full', 'short'] as const).map((dateStyle) =>
        new Intl.DateTimeFormat(locale, { calendar, dateStyle, timeZone: 'UTC' }).format(DATE),
      ),
    );
  for (const granularity of ['word', 'sentence', 'grapheme'] as const)
    add(`segments ${granularity}`, locale, () =>
      Array.from(new Intl.Segmenter(locale, { granularity }).segment(TEXT), ({ index }) => index),
    );
}

for (const locale of locales) ofLocale(locale);
for (const language of new Set(locales.map((locale) => locale.replace(/-([A-Z]{2}|\d{3})\b.*/, ''))))
  ofLanguage(language);
for (const key of ['calendar', 'collation', 'currency', 'numberingSystem', 'timeZone', 'unit'] as const)
  add('values', key, () => Intl.supportedValuesOf(key));
for (const digits of Intl.supportedValuesOf('numberingSystem'))
  add('digits', digits, () => numbers(`en-u-nu-${digits}`, {}));
for (const timeZone of Intl.supportedValuesOf('timeZone')) {
  const format = new Intl.DateTimeFormat('es', { timeZone, dateStyle: 'short', timeStyle: 'full' });
  add('times', timeZone, () => [0, 5e11, DATE, DATE + 15e9].map((time) => format.format(time)));
}
for (const currency of Intl.supportedValuesOf('currency')) {
  for (const locale of ['de', 'ja', 'ar'])
    add(`money ${locale}`, currency, () => numbers(locale, { style: 'currency', currency, currencyDisplay: 'name' }));
}
process.stdout.write(JSON.stringify(answers));
