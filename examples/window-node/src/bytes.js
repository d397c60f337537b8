// The byte layouts of docs/PROTOCOL.md: big-endian numbers and length-prefixed fields.

import { createHash, createHmac } from 'node:crypto';

export class Untrue extends Error {} // a proof, signature, token or answer that must not be believed

export function need(condition, why) {
  if (!condition) throw new Untrue(why);
}

export function u(bits, number) {
  const out = Buffer.alloc(bits / 8);
  let rest = BigInt(number);
  for (let i = out.length - 1; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

export function field(bits, content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([u(bits, bytes.length), bytes]);
}

export const sha256 = (...parts) =>
  createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();
export const hmacSha256 = (key, content) => createHmac('sha256', key).update(content).digest();

/** Decodes base64 or base64url in its one canonical spelling. */
export function unbase64(text, encoding = 'base64url') {
  const bytes = Buffer.from(text, encoding);
  need(bytes.toString(encoding) === text, 'base64 in another spelling');
  return bytes;
}

/** A length, the message, zeros up to `size`. */
export function pad(message, size) {
  const framed = Buffer.alloc(size);
  need(message.length + 4 <= size, 'message is larger than its frame');
  framed.writeUInt32BE(message.length);
  Buffer.from(message).copy(framed, 4);
  return framed;
}

export function unpad(framed) {
  const end = 4 + framed.readUInt32BE(0);
  need(end <= framed.length && framed.subarray(end).every((byte) => byte === 0), 'bad padding');
  return framed.subarray(4, end);
}
