import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { readCatalog } from '../manifest/index.ts';
import { composeFile } from './compose-file.ts';

interface Service {
  image: string;
  cap_drop: string[];
  security_opt: string[];
  read_only: boolean;
  network_mode?: string;
  ports?: string[];
  privileged?: boolean;
  mem_limit: string;
  mem_reservation: string;
  cpus: number;
  cpu_shares: number;
  depends_on?: Record<string, { condition: string }>;
  volumes: { source: string; read_only?: boolean; type: string }[];
}

const { skills } = readCatalog([
  join(import.meta.dirname, '../../skills'),
  join(import.meta.dirname, '../../test/fixtures/skills'),
]);
const all = [...skills.values()];
const services = (text: string) => (parse(text) as { services: Record<string, Service> }).services;

describe('the compose file', () => {
  it('is the same for the same skills in any order', () => {
    assert.equal(composeFile('1.2.3', all), composeFile('1.2.3', all.toReversed()));
  });

  it('has one service for each skill, without a network, that the assistant waits for', () => {
    const { sarai, ...others } = services(composeFile('1.2.3', all));
    assert.equal(sarai?.image, 'phoenix:1.2.3');
    for (const { name, version } of all) {
      assert.equal(others[`skill-${name}`]?.image, `saraiskill.${name}:${version}`);
      assert.equal(others[`skill-${name}`]?.network_mode, 'none');
      assert.equal(others[`skill-${name}`]?.ports, undefined);
      assert.deepEqual(sarai?.depends_on?.[`skill-${name}`], { condition: 'service_healthy' });
    }
  });

  it('gives the sql skill the limits and reservations that it always had', () => {
    const sql = services(composeFile('1.2.3', all))['skill-sql'];
    assert.deepEqual([sql?.mem_limit, sql?.mem_reservation, sql?.cpus, sql?.cpu_shares], ['1024m', '512m', 1, 512]);
  });

  it('hardens every service, names its version, and opens nothing to other machines', () => {
    for (const [name, service] of Object.entries(services(composeFile('1.2.3', all)))) {
      assert.deepEqual([service.cap_drop, service.security_opt], [['ALL'], ['no-new-privileges:true']], name);
      assert.equal(service.read_only, true, name);
      assert.equal(service.privileged, undefined, name);
      assert.match(service.image, /:v?\d+\.\d+\.\d+$/, name);
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name);
      for (const { source, type, read_only } of service.volumes) {
        assert.doesNotMatch(source, /\.sock/, name);
        assert.ok(type === 'volume' || read_only, `${name}: ${source}`);
      }
    }
  });
});
