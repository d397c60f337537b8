// The wire contract straight from the .proto files, and calls over mutual TLS.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';

import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const FILES = ['broker', 'consent', 'error', 'read'].map((name) => `lianban/v1/${name}.proto`);
const OBJECT = { longs: String, enums: String, bytes: Buffer, defaults: true, arrays: true };
const CALL_MS = 20000;
const MAX_MESSAGE = 8 * 1024 * 1024;

/** A call that failed. `code` is the federation's own (docs/PROTOCOL.md section 8), or gRPC's; after `waitMs` another
 *  try is worth it, 0 when that was not said. */
export class Refused extends Error {
  constructor(code, text, waitMs = 0) {
    super(`${code}: ${text}`);
    this.code = code;
    this.waitMs = waitMs;
  }
}

export class Contract {
  constructor(protoFolder) {
    this.root = new protobuf.Root();
    this.root.resolvePath = (_, target) => path.join(protoFolder, target);
    this.root.loadSync([...FILES, 'google/rpc/status.proto'], { keepCase: true });
  }

  type(name) {
    return this.root.lookupType(name.includes('.') ? name : `lianban.v1.${name}`);
  }

  encode(name, object) {
    const type = this.type(name);
    return Buffer.from(type.encode(type.fromObject(object)).finish());
  }

  decode(name, bytes) {
    const type = this.type(name);
    return type.toObject(type.decode(bytes), OBJECT);
  }

  method(service, name) {
    const found = this.root.lookupService(`lianban.v1.${service}`).methods[name].resolve();
    return {
      path: `/lianban.v1.${service}/${name}`,
      serialize: (object) => this.encode(found.resolvedRequestType.name, object),
      deserialize: (bytes) => this.decode(found.resolvedResponseType.name, bytes),
    };
  }

  refused(error) {
    const [details] = error.metadata?.get('grpc-status-details-bin') ?? [];
    if (details) {
      const status = this.decode('google.rpc.Status', details);
      const detail = this.decode('ErrorDetail', status.details[0].value);
      return new Refused(detail.code, `${detail.text_zh} ${detail.text_en}`, detail.retry_after_ms);
    }
    // A stream that was cut in the middle of a message carries the code as its message.
    const code = /^[A-Z]+(_[A-Z]+)*$/.test(error.details ?? '') ? error.details : grpc.status[error.code];
    return new Refused(code, error.details ?? error.message);
  }
}

/** Trusts the federation's CA and its revocation list, and of its members only the one expected. */
export function credentials(identity, crlFile, expectedSpiffe) {
  const context = tls.createSecureContext({
    ca: readFileSync(identity.ca),
    crl: readFileSync(crlFile),
    cert: readFileSync(identity.cert),
    key: readFileSync(identity.key),
    minVersion: 'TLSv1.3',
  });
  const checkServerIdentity = (_, peer) =>
    peer.subjectaltname?.split(', ').includes(`URI:${expectedSpiffe}`)
      ? undefined
      : new Error(`the server is not ${expectedSpiffe}`);
  return grpc.credentials.createFromSecureContext(context, { checkServerIdentity });
}

export class Peer {
  constructor(contract, address, channelCredentials) {
    this.contract = contract;
    this.client = new grpc.Client(address, channelCredentials, {
      'grpc.max_receive_message_length': MAX_MESSAGE,
      'grpc.enable_http_proxy': 0,
    });
  }

  call(service, name, request) {
    const method = this.contract.method(service, name);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path, method.serialize, method.deserialize, request, new grpc.Metadata(),
        { deadline: Date.now() + CALL_MS },
        (error, reply) => (error ? reject(this.contract.refused(error)) : resolve(reply)));
    });
  }

  /** Yields the messages of a server's stream. */
  async *stream(service, name, request, { headers = {}, ms }) {
    const method = this.contract.method(service, name);
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    const stream = this.client.makeServerStreamRequest(
      method.path, method.serialize, method.deserialize, request, metadata,
      { deadline: Date.now() + ms });
    try {
      yield* stream;
    } catch (error) {
      throw this.contract.refused(error);
    }
  }

  close() {
    this.client.close();
  }
}
