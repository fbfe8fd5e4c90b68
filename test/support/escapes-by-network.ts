/** What a skill cannot reach, though it answers to others on this machine. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Attack } from './attack.ts';
import { IT_WORKED } from './inside.ts';

/** Tests inside the `describe` of a level. */
export function networkEscapes(attack: Attack): void {
  it('no address of the host can be reached, though they answer here', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each);
    // Link-local addresses need an interface that is not there inside.
    for (const { address } of addresses.filter(({ scopeid = 0 }) => scopeid === 0)) {
      const server = await attack.listen(address, { host: address, port: 0 });
      const options = { host: address, port: (server.address() as AddressInfo).port };
      const control = connect(options);
      await once(control, 'connect');
      control.destroy();
      await once(control, 'close');
      assert.notEqual(await attack.connect(options), IT_WORKED, address);
    }
    assert.equal(attack.connected.length, new Set(attack.connected).size, 'one connection each: ours');
    assert.ok(attack.connected.includes('127.0.0.1'));
  });

  it('nothing outside can be reached, no name be resolved, and there is no interface to do it with', async () => {
    // Both are reserved for documentation: RFC 5737, RFC 3849.
    for (const host of ['192.0.2.1', '2001:db8::1'])
      assert.match(await attack.connect({ host, port: 80 }), /^(ENETUNREACH|EADDRNOTAVAIL)$/, host);
    assert.match(await attack.connect({ host: 'example.com', port: 80 }), /^(EAI_AGAIN|ENOTFOUND)$/);
    const send = `await new Promise((resolve, reject) => {
        const socket = require('dgram').createSocket('udp4');
        socket.send('x', 53, '192.0.2.1', (error) => { socket.close(); error ? reject(error) : resolve() });
      })`;
    assert.equal(await attack.attempt(send), 'ENETUNREACH');
    const names = await attack.inside<string[]>("return Object.keys(require('os').networkInterfaces())");
    assert.deepEqual(
      names.filter((name) => name !== 'lo'),
      [],
    );
  });

  it('no abstract socket of the host can be reached, though it answers here', async () => {
    const path = `\0phoenix-test-${randomUUID()}`;
    await attack.listen('abstract', { path });
    const control = connect({ path });
    await once(control, 'connect');
    control.destroy();
    await once(control, 'close');
    assert.match(await attack.connect({ path }), /ECONNREFUSED|ENOENT/);
    assert.equal(attack.connected.filter((name) => name === 'abstract').length, 1);
  });

  it('no socket file of the host can be reached, not through a link either', async () => {
    const path = join(attack.test.stateDir, 'host.sock');
    await attack.listen('file', { path });
    symlinkSync(path, join(attack.dataFolder, 'link.sock'));
    assert.equal(await attack.connect({ path }), 'ENOENT');
    assert.equal(await attack.connect({ path: '/data/link.sock' }), 'ENOENT');
    assert.ok(!attack.connected.includes('file'));
  });

  it('the socket of a container engine is not there', async () => {
    for (const path of attack.level.engineSockets()) {
      assert.equal(await attack.connect({ path }), 'ENOENT', path);
      assert.equal(await attack.read(path), 'ENOENT', path);
    }
  });
}
