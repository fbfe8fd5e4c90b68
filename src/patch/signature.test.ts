import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateKeys, isSignedBy, signDiff } from './signature.ts';

const diff = Buffer.from('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n');

describe('signatures', () => {
  it('are those of RFC 8032: its second test vector', () => {
    const secret = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
    const der = Buffer.from(`302e020100300506032b657004220420${secret}`, 'hex');
    const pem = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----`;
    const expected =
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
    assert.equal(Buffer.from(signDiff(Buffer.from([0x72]), pem), 'base64').toString('hex'), expected);
  });

  it('hold for this diff and these keys alone', () => {
    const [mine, other] = [generateKeys(), generateKeys()];
    const signature = signDiff(diff, mine.privateKey);
    const bare = mine.publicKey.replaceAll(/-----[^-]+-----|\s/g, '');
    assert.equal(isSignedBy(diff, signature, [mine.publicKey]), true);
    assert.equal(isSignedBy(diff, `${signature}\n`, [other.publicKey, bare]), true);
    assert.equal(isSignedBy(diff, signature, [other.publicKey]), false);
    assert.equal(isSignedBy(diff, signature, []), false);
    assert.equal(isSignedBy(Buffer.concat([diff, Buffer.from('\n')]), signature, [bare]), false);
    for (const bad of ['', 'AAAA', '!!', `A${signature.slice(1)}`])
      assert.equal(isSignedBy(diff, bad, [mine.publicKey]), false, bad);
  });

  it('are not made or checked with what is no Ed25519 key', () => {
    const { privateKey, publicKey } = generateKeyPairSync('x25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    assert.throws(() => signDiff(diff, privateKey), /is of type x25519/);
    assert.throws(() => isSignedBy(diff, '', [publicKey]), /is of type x25519/);
    assert.throws(() => signDiff(diff, 'secret'), /no private key in PEM/);
    assert.throws(() => isSignedBy(diff, '', ['secret']), /no public key in PEM/);
  });
});
