// Evidence: C2SP signed notes, RFC 6962 proofs, leaves, and what makes a receipt (docs/PROTOCOL.md section 6).

import { createPublicKey, verify } from 'node:crypto';

import { need, sha256, unbase64, Untrue } from './bytes.js';

const TYPES = [undefined, 'READ', 'ROUTE', 'DELIVER', 'FAILURE', 'DENY', 'ADMIN', 'POLICY', 'CONSENT',
  'CANARY', 'ERASURE', 'SHARD', 'RECOVERY', 'REVIEW'];
const HASHES = ['policyHash', 'fieldsHash', 'detailHash', 'requestHash', 'answerHash', 'peerLeaf'];
const NO_ANSWER = Buffer.alloc(32);

export function verifyEd25519(raw, content, signature) {
  const key = createPublicKey({
    format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
  });
  return verify(null, Buffer.from(content), key, signature);
}

/** `<name>+<hex id>+<base64 key>` */
export function parseVerifier(text) {
  const [name, id, ...rest] = text.split('+');
  const key = unbase64(rest.join('+'), 'base64');
  need(key.length === 33 && key[0] === 1, 'not an Ed25519 verifier key');
  const keyId = sha256(name, '\n', key).subarray(0, 4);
  need(keyId.toString('hex') === id, 'verifier key has another id');
  return { name, keyId, public: key.subarray(1) };
}

/** The text of a note that this verifier signed. */
export function openNote(note, verifierText) {
  const verifier = parseVerifier(verifierText);
  const cut = note.lastIndexOf('\n\n');
  need(cut > 0 && note.endsWith('\n'), 'not a signed note');
  const text = note.slice(0, cut + 1);
  for (const line of note.slice(cut + 2, -1).split('\n')) {
    const [dash, name, signature, ...more] = line.split(' ');
    need(dash === '—' && signature && more.length === 0, 'not a signature line');
    const raw = unbase64(signature, 'base64');
    if (name !== verifier.name || !raw.subarray(0, 4).equals(verifier.keyId)) continue;
    need(verifyEd25519(verifier.public, text, raw.subarray(4)), 'note is signed wrongly');
    return text;
  }
  throw new Untrue(`note is not signed by ${verifier.name}`);
}

/** Size and root of a log's checkpoint; its origin is the verifier's name. */
export function openCheckpoint(bytes, verifier) {
  const [origin, size, root, end, ...more] = openNote(bytes.toString(), verifier).split('\n');
  need(end === '' && more.length === 0, 'checkpoint has other lines');
  need(origin === parseVerifier(verifier).name, 'checkpoint of another log');
  need(/^(0|[1-9]\d*)$/.test(size), "checkpoint's size is not a number");
  return { size: BigInt(size), root: unbase64(root, 'base64') };
}

export const leafHash = (leaf) => sha256([0], leaf);
const node = (left, right) => sha256([1], left, right);

/** RFC 9162 section 2.1.3.2. */
export function checkInclusion(hash, index, size, path, root) {
  need(index < size, 'index beyond the tree');
  let [fn, sn, value] = [index, size - 1n, hash];
  for (const step of path) {
    need(sn > 0n, 'path is too long');
    if (fn & 1n || fn === sn) {
      value = node(step, value);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      value = node(value, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  need(sn === 0n && value.equals(root), 'entry is not in the tree');
}

/** Decodes exactly one leaf. */
export function readLeaf(raw) {
  let at = 0;
  const take = (length) => {
    need(at + length <= raw.length, 'leaf is cut short');
    at += length;
    return raw.subarray(at - length, at);
  };
  need(take(1)[0] === 1, 'leaf of another version');
  const leaf = { type: TYPES[take(1)[0]], timeMs: take(8).readBigUInt64BE(), txn: take(16) };
  need(leaf.type, 'no such kind of entry');
  for (const name of ['code', 'views']) leaf[name] = take(take(2).readUInt16BE()).toString();
  for (const name of HASHES) leaf[name] = take(32);
  leaf.count = take(4).readUInt32BE();
  leaf.retry = take(1)[0];
  need(at === raw.length && leaf.count >= 1 && leaf.retry <= 1, 'not a leaf');
  return leaf;
}

function openProof(proof, progress, verifier) {
  need(proof && progress, 'no proof');
  const { size, root } = openCheckpoint(progress.checkpoint, verifier);
  const hash = leafHash(proof.leaf);
  checkInclusion(hash, BigInt(proof.index), size, proof.path, root);
  return { ...readLeaf(proof.leaf), hash };
}

/** Both sides' entries about one request and its outcome, proved and linked. */
export function checkReceipt(request, event, adapterVerifier, brokerVerifier) {
  const requestHash = sha256(request.sealed.ciphertext);
  const answerHash = event.sealed.length > 0 ? sha256(event.sealed) : NO_ANSWER;
  const route = openProof(event.route, event.broker_log, brokerVerifier);
  const read = openProof(event.adapter_entry, event.adapter_log, adapterVerifier);
  const deliver = openProof(event.deliver, event.broker_log, brokerVerifier);
  need(route.type === 'ROUTE' && read.type === 'READ' && deliver.type === 'DELIVER', 'kinds of entries');
  for (const leaf of [route, read, deliver]) {
    need(leaf.txn.equals(request.txn) && leaf.requestHash.equals(requestHash), 'another request');
    need(leaf.views === request.views.join(','), 'other views');
  }
  need(route.code === 'ROUTED' && read.code === event.code && deliver.code === event.code, 'another outcome');
  need(read.answerHash.equals(answerHash) && deliver.answerHash.equals(answerHash), 'another answer');
  need(read.peerLeaf.equals(route.hash) && deliver.peerLeaf.equals(read.hash), 'entries are not linked');
}
