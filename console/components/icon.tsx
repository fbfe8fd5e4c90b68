/** Icons on a grid of 24, drawn with lines. */
const PATHS = {
  chat: 'M4 5h16v11H9l-5 4V5Z',
  skills: 'M12 3 4 7v10l8 4 8-4V7l-8-4Zm0 9 8-5M12 12 4 7m8 5v9',
  memory:
    'M7 7h.01M17 8h.01M12 17h.01M8.5 7.3l7 .6M16.2 9.8 12.9 15M8 8.8l3.2 6.3M7 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Zm10 1a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Zm-5 9a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z',
  metrics: 'M4 20V10m5.3 10V4m5.4 16v-8m5.3 8V7',
  router: 'M5 12h5m0 0 5-6h4m-9 6 5 6h4M17 4l2 2-2 2m0 8 2 2-2 2',
  privacy: 'M12 3 5 6v5c0 5 3 8.5 7 10 4-1.5 7-5 7-10V6l-7-3Zm-3 9 2 2 4-4',
  send: 'M5 12h14m-6-6 6 6-6 6',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  retry: 'M4 12a8 8 0 0 1 14-5l2 2m0-5v5h-5m5 3a8 8 0 0 1-14 5l-2-2m0 5v-5h5',
  up: 'M7 21V10l5-7c1.5 0 2 1 2 2.5L13 10h6l-1.5 11H7Zm0 0H4V10h3',
  down: 'M17 3v11l-5 7c-1.5 0-2-1-2-2.5L11 14H5L6.5 3H17Zm0 0h3v11h-3',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5 12 4 4',
  table: 'M4 5h16v14H4zM4 10h16M10 10v9',
  graph:
    'M6 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm12 4a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM9 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM7.9 6.6l8.2 2.8M6.5 8l2 8M16.4 11.2l-5.9 5.5',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16Zm0 4v4l3 2',
  edit: 'M5 19h3L19 8l-3-3L5 16v3Zm9-12 3 3',
  trash: 'M5 7h14M10 7V4h4v3m-7 0 1 13h8l1-13m-7 4v5m4-5v5',
  download: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  upload: 'M12 15V4M7 9l5-5 5 5M5 20h14',
  close: 'M6 6l12 12M18 6 6 18',
  sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8Zm0-5v2m0 14v2M3 12h2m14 0h2M5.6 5.6l1.4 1.4m10 10 1.4 1.4m0-12.8L17 7M7 17l-1.4 1.4',
  moon: 'M20 14a8 8 0 0 1-10-10 8 8 0 1 0 10 10Z',
  back: 'M19 12H5m6-6-6 6 6 6',
  play: 'M8 5v14l11-7L8 5Z',
  reload: 'M20 5v5h-5M4 19v-5h5M5 9a8 8 0 0 1 13-2l2 3M4 14l2 3a8 8 0 0 0 13-2',
  code: 'm8 8-4 4 4 4m8-8 4 4-4 4',
  check: 'M5 12l5 5 9-10',
  cross: 'M6 6l12 12M18 6 6 18',
  warning: 'M12 4 3 20h18L12 4Zm0 6v4m0 3v.01',
  link: 'M9 5H5v14h14v-4M13 5h6v6m0-6-8 8',
} as const;

export type IconName = keyof typeof PATHS;

/** An icon beside a text; it says nothing of its own. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
