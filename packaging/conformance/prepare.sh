#!/bin/sh
# A rehearsal around one adapter, for `lianban conformance`: a federation of its own with keys,
# certificates and directory, and the configuration of a second instance of the department's adapter.
# The adapter that serves the department is not touched, and its policy never names the kit's members.
#
#   prepare.sh FOLDER DEPARTMENT HOST:PORT SOURCE
#
# DEPARTMENT is its id (tax), HOST:PORT where the instance will listen, SOURCE the `source:` of the
# adapter's configuration on one line, as '{plugin: sqlite, location: /srv/tax.db}'. Then
#
#   lianban-adapter --config FOLDER/adapter/node.yaml --init &
#   lianban conformance HOST:PORT --kit FOLDER
#
# LIANBAN is the command (lianban), RULES a rule set of the department's.
set -eu
umask 077

[ $# = 4 ] || {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
folder=$1 department=$2 address=$3 source=$4
here=$(cd "$(dirname "$0")" && pwd)
# Found from here, also once we stand in the folder.
lianban=$(command -v "${LIANBAN:-lianban}") || { echo "prepare.sh: no ${LIANBAN:-lianban}; name it in LIANBAN" >&2; exit 1; }
lianban=$(realpath "$lianban")
rules=$(realpath -e "${RULES:-/usr/share/lianban/rules/beijing-reference.yaml}")
case $department in
'' | *[!a-z0-9-]*)
    echo "prepare.sh: '$department' is no department's id: small letters, digits, hyphens" >&2
    exit 2
    ;;
esac
federation=spiffe://conformance.test

mkdir "$folder"
trap '[ $? = 0 ] || echo "prepare.sh: given up; remove $folder and run it again" >&2' EXIT
cd "$folder"
mkdir broker window other office stranger revoked adapter adapter/views

quiet() { "$lianban" "$@" >/dev/null; }
line() { "$lianban" "$@" --json | sed -n "s/.*\"$key\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }

certificate() { quiet pki issue --dir pki --id "$federation/$1" --out "$2" --name "${address%:*}"; }
log_key() { quiet keys log --out "$2/log.pem" --public "$2/log.vkey" --name "$federation/$1"; }
seal_key() {
    quiet keys seal --out "$2/seal.key"
    quiet directory seal-key --id "$federation/$1" --log-key "$2/log.pem" --seal-key "$2/seal.key" \
        --key-id s1 --out "$2/seal.json"
}
issuer() { quiet keys issuer --out "$1/issuer.pem" --public "$1/issuer.json"; }

quiet pki init --dir pki --organization Conformance
certificate "adapter/$department" adapter
certificate broker/kit-broker broker
certificate window/kit-window window
certificate broker/kit-broker revoked
quiet pki revoke --dir pki --cert revoked/cert.pem
log_key "adapter/$department" adapter
log_key broker/kit-broker broker
log_key window/kit-window window
log_key window/kit-other other
seal_key "adapter/$department" adapter
seal_key window/kit-window window
seal_key window/kit-other other
for name in window office stranger; do issuer "$name"; done
quiet keys secret --out adapter/pseudonym.key
quiet keys officer --out officer.key --public adapter/officer.pub
key=vkey
signer=$(line keys log --out directory.pem --public directory.vkey --name conformance.test/directory)

for name in view view-few; do
    sed "s/DEPARTMENT/$department/" "$here/$name.yaml" >"adapter/views/$name.yaml"
done
cp "$here/form.yaml" form.yaml
cp "$rules" adapter/rules.yaml
hash_of() { sha256sum "$1" | cut -d ' ' -f 1; }
# SHA-256 of an issuer's public key, x || y.
key_hash() {
    for part in x y; do
        sed -n "s/.*\"$part\": *\"\([^\"]*\)\".*/\1=/p" "$1/issuer.json" | tr -- '-_' '+/' | base64 -d
    done | sha256sum | cut -d ' ' -f 1
}

cat >directory.yaml <<END
federation: conformance.test
version: 1
days: 7
ca: [pki/ca.pem]
organizations:
  - {id: $department, zh: 受检部门, en: Department}
  - {id: kit-broker, zh: 检验中转方, en: Kit's broker}
  - {id: kit-window, zh: 检验窗口, en: Kit's window}
  - {id: kit-other, zh: 其他窗口, en: Another window}
  - {id: kit-office, zh: 检验同意服务机构, en: Kit's consent office}
  - {id: kit-stranger, zh: 其他签发方, en: Another issuer}
nodes:
  - {spiffe: $federation/adapter/$department, endpoint: '$address', log_key: adapter/log.vkey, seal_keys: [adapter/seal.json]}
  - {spiffe: $federation/broker/kit-broker, log_key: broker/log.vkey}
  - {spiffe: $federation/window/kit-window, log_key: window/log.vkey, seal_keys: [window/seal.json]}
  - {spiffe: $federation/window/kit-other, log_key: other/log.vkey, seal_keys: [other/seal.json]}
issuers:
  - {organization: kit-window, kid: w1, kinds: [mandate, operator], key: window/issuer.json}
  - {organization: kit-office, kid: o1, kinds: [consent, operator], key: office/issuer.json, status: 'https://conformance.test/status/1'}
  - {organization: kit-stranger, kid: x1, kinds: [mandate, consent], key: stranger/issuer.json}
forms:
  - {id: conformance, version: 1, file: form.yaml}
END
quiet directory build --from directory.yaml --out directory.json
quiet directory sign --text directory.json --key directory.pem --name conformance.test/directory \
    --out directory.note

cat >adapter/policy.yaml <<END
policy: $department
rules: rules.yaml
views: [views/view.yaml, views/view-few.yaml]
accept:
  brokers: [$federation/broker/kit-broker]
  requesters:
    - {spiffe: $federation/window/kit-window, log: '$(cat window/log.vkey)'}
  issuers:
    - {organization: kit-window, kid: w1, key_sha256: $(key_hash window)}
    - {organization: kit-office, kid: o1, key_sha256: $(key_hash office)}
  forms:
    - {form: conformance, version: 1, sha256: $(hash_of form.yaml)}
END
cat >adapter/node.yaml <<END
node: $federation/adapter/$department
listen: $address
identity: {cert: cert.pem, key: key.pem, ca: ca.pem}
crl: ../pki/crl.pem
directory: {file: ../directory.note, signers: ['$signer']}
state: state
log_key: log.pem
officer_key_file: officer.pub
seal_keys: [{id: s1, file: seal.key}]
pseudonym_key: pseudonym.key
disk: {alert_mb: 64, stop_mb: 16, reserve_mb: 2}
reconcile: {every_minutes: 0}
policy: policy.yaml
source: $source
END
echo "made $folder; start: lianban-adapter --config $folder/adapter/node.yaml --init"
