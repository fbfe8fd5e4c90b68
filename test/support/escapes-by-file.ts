/** What a skill cannot read or change. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { type Attack, PRIVATE_NAME } from './attack.ts';

const REFUSED = /^(EROFS|EXDEV|EBUSY|ETXTBSY|EACCES|EPERM)$/;
/** What every container engine and bubblewrap have in /dev, none of which leads anywhere. */
const HARMLESS = new Set('null zero full random urandom tty console ptmx pts shm mqueue core'.split(' '));
/** Lists what is in the skill's file system, without what the kernel makes up. */
const WALK = `const { lstatSync, openSync, closeSync, readdirSync, rmSync } = require('fs');
  const walk = (folder, visit) => {
    let names = [];
    try { names = readdirSync(folder) } catch {}
    for (const name of names) {
      const path = folder === '/' ? '/' + name : folder + '/' + name;
      let info;
      try { info = lstatSync(path) } catch { continue }
      visit(path, info);
      if (info.isDirectory() && path !== '/proc/self' && !/^\\/proc\\/\\d/.test(path)) walk(path, visit);
    }
  };
`;

/** Tests inside the `describe` of a level. */
export function fileEscapes(attack: Attack): void {
  it('no file of the host can be read', async () => {
    const files = ['/etc/shadow', '/etc/passwd', '/root', '/home', homedir(), attack.test.stateDir, process.execPath];
    for (const path of files) assert.equal(await attack.read(path), 'ENOENT', path);
    for (const root of ['/proc/1/root', '/proc/self/root', '/proc/self/cwd/..'])
      assert.match(await attack.read(`${root}/etc/shadow`), /^(ENOENT|EACCES)$/, root);
  });

  it('nothing is there but Node, its libraries and the skill: no shell, no tool, no key', async () => {
    const files = await attack.inside<string[]>(
      `${WALK} const files = [];
      walk('/', (path, info) => { if (info.isFile() && !/^\\/(proc|sys|dev|data|tmp)\\//.test(path)) files.push(path) });
      return files`,
    );
    // What the engine adds to every container: its init, names of the machine, a mark.
    const ofEngine = /^\/(\.dockerenv|sbin\/docker-init|etc\/(hosts|hostname|resolv\.conf))$/;
    const { node } = attack.level.code;
    assert.ok(files.includes(node));
    const strange = files.filter(
      (path) =>
        path !== node &&
        !/^\/app\/([\w./-]+\.mjs|launch\.json|cache\/v[\w.-]+\/[0-9a-f]+)$/.test(path) &&
        !/^\/(usr\/)?lib(64)?\/([\w-]+\/)?[\w+.-]+\.so(\.\d+)*$/.test(path) &&
        !ofEngine.test(path),
    );
    assert.deepEqual(strange, []);
  });

  it('a link leads to no file of the host or of another skill', async () => {
    const theirs = join(await attack.level.dataFolder(attack.test, 'other'), PRIVATE_NAME);
    assert.equal(readFileSync(theirs, 'utf8'), 'of another skill');
    const links = { passwd: '/etc/passwd', other: theirs, up: `../../other/data/${PRIVATE_NAME}` };
    for (const [name, target] of Object.entries(links)) {
      symlinkSync(target, join(attack.dataFolder, `outer-${name}`));
      assert.equal(await attack.read(`/data/outer-${name}`), 'ENOENT', `${target}, linked outside`);
      await attack.inside(`require('fs').symlinkSync('${target}', '/data/inner-${name}')`);
      assert.equal(await attack.read(`/data/inner-${name}`), 'ENOENT', `${target}, linked inside`);
    }
  });

  it('nothing of another skill is anywhere, while that runs with the same rights', async () => {
    writeFileSync(join(attack.test.stateDir, PRIVATE_NAME), 'of the assistant');
    mkdirSync(join(attack.test.stateDir, 'run', PRIVATE_NAME));
    const found = await attack.inside<{ names: string[]; total: number }>(`${WALK} const names = []; let total = 0;
        walk('/', (path) => { total++; if (path.includes('${PRIVATE_NAME}')) names.push(path) });
        return { names, total }`);
    // The links of the test before lead nowhere, and have other names.
    assert.deepEqual(found.names, []);
    assert.ok(found.total > 20, `${found.total} files seen`);
  });

  it('nothing can be written but /tmp, /data and the folder of its socket', async () => {
    const writable = await attack.inside<string[]>(`${WALK} const writable = [];
        const attempt = (folder) => {
          const path = folder + '/.written';
          try { closeSync(openSync(path, 'wx')); rmSync(path); writable.push(folder) } catch {}
        };
        attempt('');
        walk('/', (path, info) => { if (info.isDirectory()) attempt(path) });
        return writable`);
    assert.deepEqual(writable.sort(), attack.level.writable);
  });

  it('its code and its launch configuration cannot be changed', async () => {
    const { handler, host, node } = attack.level.code;
    const content = await attack.inside(`return require('fs').readFileSync('${handler}', 'utf8')`);
    const tries = [
      `writeFileSync('${handler}', '')`,
      `writeFileSync('${handler}.more', '')`,
      `unlinkSync('${handler}')`,
      `renameSync('${handler}', '${handler}.other')`,
      `renameSync('/tmp', '/app/code')`,
      `chmodSync('${handler}', 0o777)`,
      `truncateSync('${host}')`,
      `appendFileSync('/app/launch.json', ' ')`,
      `appendFileSync('${node}', ' ')`,
      "mkdirSync('/app/new')",
    ];
    for (const each of tries) assert.match(await attack.attempt(`require('fs').${each}`), REFUSED, each);
    assert.equal(await attack.inside(`return require('fs').readFileSync('${handler}', 'utf8')`), content);
  });

  it('no setting of the kernel can be changed', async () => {
    const opened = await attack.inside<{
      writable: string[];
      total: number;
    }>(`${WALK} const writable = []; let total = 0;
        const visit = (path, info) => {
          // Writing to a file of /proc/pressure asks to be woken: proc_pressure(5).
          if (!info.isFile() || path.startsWith('/proc/pressure/')) return;
          total++;
          try { closeSync(openSync(path, 'r+')); writable.push(path) } catch {}
        };
        walk('/proc', visit);
        walk('/sys', visit);
        return { writable, total }`);
    assert.deepEqual(opened.writable, []);
    assert.ok(opened.total > 100, `${opened.total} settings seen`);
  });

  it('the log and the memory of the kernel cannot be read', async () => {
    for (const path of ['/dev/kmsg', '/dev/mem', '/dev/port', '/proc/kmsg', '/proc/kcore']) {
      const first = `const file = require('fs').openSync('${path}', 'r'); if (require('fs').readSync(file, Buffer.alloc(1)) === 0) throw new Error('ENOENT')`;
      assert.match(await attack.attempt(first), /^(ENOENT|EACCES|EPERM)$/, path);
    }
  });

  it('its devices are the harmless ones', async () => {
    const devices = await attack.inside<string[]>(`${WALK} const devices = [];
        walk('/', (path, info) => { if (info.isBlockDevice() || info.isCharacterDevice()) devices.push(path) });
        return devices`);
    assert.ok(devices.includes('/dev/null'), `${devices}`);
    for (const path of devices) {
      if (path.startsWith('/dev/')) assert.ok(HARMLESS.has(path.split('/')[2] ?? ''), path);
      // A device over a file of /proc hides that.
      else assert.match(path, /^\/proc\//);
    }
  });

  it('no file has a setuid or setgid bit', async () => {
    const found = await attack.inside<string[]>(`${WALK} const found = [];
        walk('/', (path, info) => { if (info.isFile() && info.mode & 0o6000) found.push(path) });
        return found`);
    assert.deepEqual(found, []);
  });
}
