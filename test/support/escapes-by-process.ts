/** What a skill neither sees nor has of the processes around it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Attack, SECRET, SECRET_FOLDER } from './attack.ts';

/** Tests inside the `describe` of a level. */
export function processEscapes(attack: Attack): void {
  it('it inherits no file of the assistant but its own log', async () => {
    const targets = await attack.inside<string[]>(`const { readdirSync, readlinkSync } = require('fs');
        return readdirSync('/proc/self/fd').flatMap((fd) => {
          try { return [readlinkSync('/proc/self/fd/' + fd)] } catch { return [] }
        })`);
    const files = targets.filter((target) => target.startsWith('/') && target !== '/dev/null');
    assert.deepEqual([...new Set(files)], attack.level.openFiles(attack.test));
  });

  it('it sees no other process than its own, and can send none a signal', async () => {
    const pids = await attack.inside<string[]>(
      "return require('fs').readdirSync('/proc').filter((name) => /^\\d+$/.test(name))",
    );
    assert.ok(pids.length > 0 && pids.length <= 2, `${pids}`);
    assert.ok(!pids.includes(`${process.pid}`));
    assert.equal(await attack.attempt(`process.kill(${process.pid}, 0)`), 'ESRCH');
  });

  /** The environments of all processes that the skill sees. */
  const environments = () =>
    attack.inside<string[]>(`const { readdirSync, readFileSync } = require('fs');
        return readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((pid) => {
          try { return pid + ' ' + readFileSync('/proc/' + pid + '/environ', 'utf8') } catch (error) { return error.code }
        })`);

  it('no process that it sees has a variable of the assistant', async () => {
    const all = await environments();
    assert.ok(all.length > 0);
    for (const environment of all) assert.ok(!environment.includes(SECRET), environment);
  });

  it('no process that it sees has the search path of the assistant', async () => {
    for (const environment of await environments()) assert.ok(!environment.includes(SECRET_FOLDER), environment);
  });

  it('it is nobody, without capabilities, groups or the means to get some', async () => {
    const status = await attack.inside<string>("return require('fs').readFileSync('/proc/self/status', 'utf8')");
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/);
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(field(name)?.[0] ?? '', /^0+$/, name);
    assert.deepEqual(field('NoNewPrivs'), ['1']);
    for (const name of ['Uid', 'Gid']) assert.ok(!field(name)?.includes('0'), `${name} ${field(name)}`);
    assert.ok(!field('Groups')?.includes('0'), `${field('Groups')}`);
    for (const each of ['setuid', 'setgid', 'seteuid', 'setegid'])
      assert.match(await attack.attempt(`process.${each}(0)`), /^(EPERM|EINVAL)$/, each);
  });

  it('it does not see where it is among the control groups of the machine', async () => {
    const groups = await attack.inside<string>("return require('fs').readFileSync('/proc/self/cgroup', 'utf8')");
    for (const line of groups.split('\n').filter(Boolean)) assert.match(line, /:\/$/);
  });
}
