/** What Grafana is given, as far as tests look at it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const GRAFANA = join(import.meta.dirname, '../../deploy/grafana');
export const DASHBOARD = join(GRAFANA, 'dashboards/phoenix-skills.json');

export interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  datasource: { type: string; uid: string };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description: string;
  datasource: { type: string; uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets: Target[];
  fieldConfig: {
    defaults: {
      unit?: string;
      min?: number;
      max?: number;
      thresholds?: { steps: { value: number | null; color: string }[] };
    };
  };
}

export interface Dashboard {
  uid: string;
  title: string;
  tags: string[];
  refresh: string;
  time: { from: string; to: string };
  panels: Panel[];
  templating: { list: { name: string; type: string; query: string; allValue?: string; current?: { value: string } }[] };
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;
}

/** The panels that show something: no rows. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return dashboard.panels.filter(({ type }) => type !== 'row');
}

/** An expression as Grafana sends it, with what the variables of a dashboard are at first. */
export function filledIn(expression: string, { templating }: Dashboard): string {
  return expression.replace(/\$(\w+)/g, (whole, name: string) => {
    const variable = templating.list.find((each) => each.name === name);
    if (!variable) throw new Error(`${expression}: there is no variable ${whole}`);
    const value = variable.current?.value === '$__all' ? variable.allValue : variable.current?.value;
    if (value === undefined) throw new Error(`${whole} has no value at first`);
    return value;
  });
}
