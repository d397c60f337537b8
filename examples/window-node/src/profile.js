// A window's own keys and where the federation is, from a node.yaml as the window agent has one.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { parse } from 'yaml';

import { hmacSha256, need, unbase64 } from './bytes.js';
import { Directory } from './directory.js';
import { importPrivate } from './seal.js';

// An X25519 key in PKCS #8 is this and its 32 bytes.
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** A key's file must be closed to everybody else. */
function readSecret(file) {
  need((statSync(file).mode & 0o077) === 0, `${file} is open to others; chmod 600 it`);
  return readFileSync(file);
}

function x25519Public(raw) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' });
  return unbase64(createPublicKey(key).export({ format: 'jwk' }).x);
}

export async function loadProfile(configFile) {
  const config = parse(readFileSync(configFile, 'utf8'));
  const at = (file) => path.resolve(path.dirname(configFile), file);
  const [word, seal] = readSecret(at(config.seal_keys.at(-1).file)).toString().trim().split(/\s+/);
  need(word === 'lianban-x25519-private', 'not a sealing key');
  const raw = unbase64(seal);
  const personKey = Buffer.from(readSecret(at(config.person_key)).toString().trim(), 'hex');
  return {
    spiffe: config.node,
    organization: new URL(config.node).pathname.split('/')[2],
    identity: { ca: at(config.identity.ca), cert: at(config.identity.cert), key: at(config.identity.key) },
    crl: at(config.crl),
    directory: new Directory(readFileSync(at(config.directory.file), 'utf8'), config.directory.signers[0]),
    broker: config.broker ?? config.brokers[0],
    consent: config.consent,
    rules: readFileSync(at(config.forms[0].rules)),
    seal: { key: await importPrivate(raw), public: x25519Public(raw) },
    issuer: { kid: config.issuer.kid, key: createPrivateKey(readSecret(at(config.issuer.key))) },
    /** Who serves the citizen travels as a keyed hash only. */
    person: (badge) => hmacSha256(personKey, badge).subarray(0, 16).toString('hex'),
  };
}
