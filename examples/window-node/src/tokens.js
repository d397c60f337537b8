// Tokens: grants (SD-JWT, RFC 9901, ES256) and operator tokens, by the JOSE library.

import { randomBytes, randomUUID } from 'node:crypto';

import { calculateJwkThumbprint, compactVerify, CompactSign, importJWK } from 'jose';

import { need, sha256, unbase64 } from './bytes.js';

const GRANT = 'lianban-grant+sd-jwt';
const DIGESTS = 16;
const GRANT_SECONDS = 3600;
const TOKEN_SECONDS = 600;

const now = () => Math.floor(Date.now() / 1000);

export const thumbprint = (x25519) =>
  calculateJwkThumbprint({ kty: 'OKP', crv: 'X25519', x: Buffer.from(x25519).toString('base64url') });

/** A section's `sub`: it names the subject only to who knows the salt and the number. */
export const commitment = (salt, idNo) => sha256('lianban subject v1', salt, idNo).toString('base64url');

const digest = (disclosure) => sha256(disclosure);

function sign(typ, claims, issuer) {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', typ, kid: issuer.kid })
    .sign(issuer.key);
}

/** The requester's own grant, for what the law lets it ask without consent. */
export async function signMandate(sections, salt, profile) {
  const disclosures = sections.map((section) => Buffer.from(
    JSON.stringify([randomBytes(16).toString('base64url'), 'section', section])).toString('base64url'));
  const digests = disclosures.map(digest);
  do digests.push(randomBytes(32)); while (digests.length % DIGESTS !== 0); // decoys, one at least
  const jwt = await sign(GRANT, {
    suite: 'lianban-1', _sd_alg: 'sha-256',
    _sd: digests.sort(Buffer.compare).map((d) => d.toString('base64url')),
    iss: profile.organization, iat: now(), nbf: now(), exp: now() + GRANT_SECONDS,
    jti: randomUUID(), requester: profile.organization, cnf: { jkt: await thumbprint(profile.seal.public) },
  }, profile.issuer);
  return { jwt, salt, parts: sections.map((section, i) => ({ section, disclosure: disclosures[i] })) };
}

/** Checks a grant that the consent office issued: is it whole, current, ours, and about this person? */
export async function openGrant(text, salt, idNo, profile, directory) {
  const [jwt, ...disclosures] = text.split('~');
  need(disclosures.pop() === '' && disclosures.length > 0, 'not an SD-JWT without key binding');
  const { payload, protectedHeader } = await compactVerify(jwt, (header) => {
    const claims = JSON.parse(unbase64(jwt.split('.')[1]));
    need(claims.iss !== profile.organization, 'consent in our own name');
    return importJWK(directory.issuer(claims.iss, header.kid, 'consent'), 'ES256');
  }, { algorithms: ['ES256'] });
  const claims = JSON.parse(Buffer.from(payload));
  need(protectedHeader.typ === GRANT && claims.suite === 'lianban-1' && claims._sd_alg === 'sha-256',
    'another kind of token');
  need(claims.nbf <= now() + 60 && now() < claims.exp, 'grant is not valid now');
  need(claims.requester === profile.organization
    && claims.cnf.jkt === await thumbprint(profile.seal.public), 'grant is not for us');
  const parts = disclosures.map((disclosure) => {
    need(claims._sd.includes(digest(disclosure).toString('base64url')), 'disclosure is not part of the grant');
    const [, name, section] = JSON.parse(unbase64(disclosure));
    need(name === 'section' && section.sub === commitment(salt, idNo), 'grant is about somebody else');
    return { section, disclosure };
  });
  return { jwt, salt, parts };
}

/** The token of the person at the window; `person` is a keyed hash of who that is. */
export function operatorToken(person, unit, profile) {
  return sign('JWT', {
    use: 'lianban-operator', iss: profile.organization, unit, sub: person,
    iat: now(), exp: now() + TOKEN_SECONDS, jti: randomUUID(),
  }, profile.issuer);
}
