// The directory: who is a member, with which keys (docs/PROTOCOL.md section 1).

import { need, unbase64 } from './bytes.js';
import { openNote, parseVerifier, verifyEd25519 } from './evidence.js';

const now = () => Math.floor(Date.now() / 1000);

export class Directory {
  constructor(note, signer) {
    const content = JSON.parse(openNote(note, signer));
    need(content.type === 'lianban-directory/v1', 'not a directory');
    need(content.issued <= now() + 60 && now() < content.expires, 'the directory is not current');
    this.nodes = new Map(content.nodes.map((node) => [node.spiffe, node]));
    this.content = content;
  }

  node(spiffe) {
    const found = this.nodes.get(spiffe);
    need(found, `${spiffe} is not listed`);
    return found;
  }

  /** The one adapter of a department. */
  adapter(department) {
    const own = `spiffe://${this.content.federation}/adapter/${department}`;
    const found = [...this.nodes.keys()].find((id) => id === own || id.startsWith(`${own}/`));
    need(found, `${department} has no adapter`);
    return found;
  }

  /** A node's newest sealing key, which its own log key must vouch for. */
  sealKey(spiffe) {
    const { seal, log } = this.node(spiffe);
    const newest = seal.reduce((a, b) => (b.not_after > a.not_after ? b : a));
    need(newest.not_after > now(), `${spiffe} has no valid sealing key`);
    const text = `lianban sealing key v1\n${spiffe}\n${newest.id}\n${newest.key}\n${newest.not_after}\n`;
    need(verifyEd25519(parseVerifier(log).public, text, unbase64(newest.signature)),
      `${spiffe} does not vouch for its sealing key`);
    return { id: newest.id, public: unbase64(newest.key) };
  }

  /** The public key (JWK) of an issuer that may issue this kind. */
  issuer(organization, kid, kind) {
    const found = this.content.issuers.find((i) => i.organization === organization && i.kid === kid);
    need(found?.kinds.includes(kind), `${organization} does not issue ${kind}`);
    return { kty: 'EC', crv: 'P-256', x: found.x, y: found.y };
  }

  viewVersion(view) {
    const versions = this.content.views.filter((v) => v.id === view).map((v) => v.version);
    need(versions.length > 0, `view ${view} is not listed`);
    return Math.max(...versions);
  }

  /** Whether the directory lists exactly this form or rule set. */
  lists(kind, id, version, hash) {
    return this.content[kind].some((listed) =>
      listed.id === id && listed.version === version && listed.sha256 === hash.toString('hex'));
  }
}
