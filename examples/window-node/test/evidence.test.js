import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pad, sha256, unpad } from '../src/bytes.js';
import { checkInclusion, leafHash, openCheckpoint, openNote, readLeaf } from '../src/evidence.js';
import { aadOf } from '../src/seal.js';

// The reference tree of RFC 6962 implementations: the sixth of eight leaves.
const ROOT = Buffer.from('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328', 'hex');
const LEAF = leafHash(Buffer.from('40414243', 'hex'));
const PATH = ['bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'].map((hex) => Buffer.from(hex, 'hex'));
// A published C2SP checkpoint.
const VERIFIER = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const NOTE = 'example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n'
  + '— example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM'
  + '/dlPWF74ewI=\n';

test('an inclusion proof holds, and no other', () => {
  checkInclusion(LEAF, 5n, 8n, PATH, ROOT);
  const bad = [[4n, 8n, PATH], [5n, 5n, PATH], [5n, 16n, PATH], [5n, 8n, PATH.slice(1)],
    [5n, 8n, [...PATH, ROOT]], [8n, 8n, PATH], [5n, 8n, [PATH[1], PATH[0], PATH[2]]]];
  for (const [at, size, path] of bad) {
    assert.throws(() => checkInclusion(LEAF, at, size, path, ROOT));
  }
});

test('a published note opens, and no changed one', () => {
  assert.equal(openCheckpoint(Buffer.from(NOTE), VERIFIER).size, 15n);
  for (const note of [NOTE.replace('15', '16'), NOTE.replace('—', '-'), NOTE.replace('\n\n', '\n'), NOTE.slice(0, -1),
    NOTE.replace('M9e0', 'M9e1'), '']) {
    assert.throws(() => openNote(note, VERIFIER));
  }
  assert.throws(() => openNote(NOTE, VERIFIER.replace('33d7', '33d8')));
});

test('a leaf is read whole or not at all', () => {
  const leaf = Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(8), Buffer.alloc(16, 7), Buffer.from('\0\x08ANSWERED'),
    Buffer.from('\0\x03a,b'), ...[0, 1, 2, 3, 4, 5].map((i) => Buffer.alloc(32, i)), Buffer.from([0, 0, 0, 2, 1])]);
  const read = readLeaf(leaf);
  assert.deepEqual([read.type, read.code, read.views, read.count, read.retry], ['READ', 'ANSWERED', 'a,b', 2, 1]);
  assert.ok(read.peerLeaf.equals(Buffer.alloc(32, 5)));
  for (const bad of [leaf.subarray(1), leaf.subarray(0, -1), Buffer.concat([leaf, leaf]),
    Buffer.from([2, ...leaf.subarray(1)]), Buffer.from([1, 14, ...leaf.subarray(2)])]) {
    assert.throws(() => readLeaf(bad));
  }
});

test('frames and what a seal binds', () => {
  assert.deepEqual(unpad(pad(Buffer.from('x'), 1024)), Buffer.from('x'));
  assert.throws(() => unpad(Buffer.from('\0\0\0\x01xy')));
  assert.throws(() => unpad(Buffer.from('\0\0\0\x09x')));
  assert.throws(() => pad(Buffer.alloc(1021), 1024));
  const request = { grant: 'g', txn: Buffer.alloc(16, 't'), views: ['v', 'w'], deadline_unix_ms: 1, answer_bytes: 2 };
  const plain = Buffer.concat([Buffer.from('lianban aad v1\0\0\0\x01g\0\x10'), request.txn,
    Buffer.from('\0\x02\0\x01v\0\x01w'), Buffer.alloc(7), Buffer.from([1, 0, 0, 0, 2])]);
  assert.deepEqual(aadOf(request), sha256(plain));
});
