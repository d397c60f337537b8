// Sealed reads: HPKE Auth mode (RFC 9180) with the byte layouts of docs/PROTOCOL.md section 3.

import { createDecipheriv } from 'node:crypto';

import { Aes128Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519';

import { field, need, pad, sha256, u, unpad, Untrue } from './bytes.js';

const PADDING = 1024;
const TAG = 16;

export const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm(),
});

export const importPrivate = (raw) => suite.kem.importKey('raw', raw, false);
const importPublic = (raw) => suite.kem.importKey('raw', raw, true);

/** What the seal binds of a request's open part. */
export function aadOf(request) {
  return sha256('lianban aad v1', field(32, request.grant), field(16, request.txn),
    u(16, request.views.length), ...request.views.map((view) => field(16, view)),
    u(64, request.deadline_unix_ms), u(32, request.answer_bytes));
}

/** A context towards one adapter. Its messages are numbered from 0; it lives for one collect only. */
export class Context {
  static async open(profile, audience, key) {
    const info = Buffer.concat(['lianban read v1', field(16, profile.spiffe), field(16, audience),
      field(16, key.id)].map((part) => Buffer.from(part)));
    const context = new Context();
    context.sender = await suite.createSenderContext({
      recipientPublicKey: await importPublic(key.public), senderKey: profile.seal.key, info,
    });
    Object.assign(context, { keyId: key.id, senderKey: profile.seal.public, seq: 0 });
    return context;
  }

  /** Seals a message into a request; returns how its answer opens. */
  async seal(request, message) {
    const seq = this.seq++;
    const size = Math.ceil((message.length + 4) / PADDING) * PADDING;
    const ciphertext = Buffer.from(await this.sender.seal(pad(message, size), aadOf(request)));
    request.sealed = {
      key_id: this.keyId, enc: Buffer.from(this.sender.enc), sender_key: this.senderKey, seq, ciphertext,
    };
    const label = Buffer.concat([Buffer.from('lianban answer'), u(64, seq), sha256(ciphertext)]);
    const key = Buffer.from(await this.sender.export(label, 16));
    return (sealed) => openAnswer(key, request, sealed);
  }
}

function openAnswer(key, request, sealed) {
  need(sealed.length === request.answer_bytes, 'answer of another size');
  const opener = createDecipheriv('aes-128-gcm', key, Buffer.alloc(12), { authTagLength: TAG });
  opener.setAAD(request.txn);
  opener.setAuthTag(sealed.subarray(sealed.length - TAG));
  try {
    return unpad(Buffer.concat([opener.update(sealed.subarray(0, sealed.length - TAG)), opener.final()]));
  } catch (error) {
    throw new Untrue(`answer does not open: ${error.message}`);
  }
}
