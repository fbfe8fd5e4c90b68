/**
 * Generates what Grafana is given: the dashboard, and the alerting rules of Prometheus in Grafana's words. `npm run generate`, or with
 * `--check` only compares and fails when something is stale.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { grafanaAlerting } from './grafana/alerting.ts';
import { phoenixDashboard } from './grafana/dashboard.ts';

const root = join(import.meta.dirname, '..');
const alerts = readFileSync(join(root, 'deploy/prometheus/rules/alerts.yml'), 'utf8');
const files = {
  'deploy/grafana/dashboards/phoenix-skills.json': `${JSON.stringify(phoenixDashboard(), undefined, 2)}\n`,
  'deploy/grafana/provisioning/alerting/phoenix.yml': `# Generated from deploy/prometheus/rules/alerts.yml: change that, then run "npm run generate".\n${stringify(grafanaAlerting(alerts), { lineWidth: 0, aliasDuplicateObjects: false })}`,
};

for (const [name, text] of Object.entries(files)) {
  const path = join(root, name);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${name} is not what scripts/grafana and the alerting rules say. Run: npm run generate`);
    process.exit(1);
  }
}
