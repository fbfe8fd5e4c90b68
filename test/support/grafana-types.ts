/** Checks a dashboard against the types that Grafana publishes: its own schema, in TypeScript. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../node_modules');
const SDK = join(MODULES, '@grafana/grafana-foundation-sdk/dist');

/** A literal of JSON may have every field of a type but functions, and the values of its enumerations; nothing else. */
const TYPES = `
import type * as common from '@sdk/common';
import type * as dashboard from '@sdk/dashboard';
import type * as gauge from '@sdk/gauge';
import type * as prometheus from '@sdk/prometheus';
import type * as stat from '@sdk/stat';
import type * as table from '@sdk/table';
import type * as timeseries from '@sdk/timeseries';

type Json<T> = 0 extends 1 & T ? any
  : T extends string ? \`\${T}\`
  : T extends number ? (\`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends boolean | null | undefined ? T
  : T extends (infer E)[] ? Json<E>[]
  : { [K in keyof T as T[K] extends (...all: never[]) => unknown ? never : K]: Json<T[K]> };

type Field<Custom> = Omit<dashboard.FieldConfigSource, 'defaults'> & { defaults: Omit<dashboard.FieldConfig, 'custom'> & { custom?: Custom } };
type Panel<Type, Options, Custom> = { type: Type; options: Json<Options>; fieldConfig: Json<Field<Custom>>; targets: Json<prometheus.Dataquery>[] }
  & Json<Omit<dashboard.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>>;
type Panels = Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Panel<'table', table.Options, table.FieldConfig>
  | Panel<'gauge', gauge.Options, never>
  | Panel<'stat', stat.Options, never>
  | Json<dashboard.RowPanel>;
type Dashboard = Json<Omit<dashboard.Dashboard, 'panels'>> & { panels: Panels[] };
`;

/** @param text the dashboard as JSON @returns what does not fit, as the compiler says it; nothing when all fits */
export function typeErrors(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-grafana-'));
  try {
    writeFileSync(join(folder, 'dashboard.ts'), `${TYPES}\nexport const value: Dashboard = ${text};\n`);
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', types: [] },
      paths: { '@sdk/*': [`${SDK}/*/index.d.ts`] },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['dashboard.ts'] }));
    const tsc = join(MODULES, 'typescript/bin/tsc');
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
    });
    return `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
