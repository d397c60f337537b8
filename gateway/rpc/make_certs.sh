#!/bin/sh
# Makes the certificates of this folder's tests in the folder $1, with the openssl command.
set -eu
cd "$1"
umask 077

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null; }

ca() {
    key "$1"
    openssl req -x509 -new -key "$1.key" -sha256 -days 30 -subj "/O=Test/CN=$1" -out "$1.pem" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign"
}

# leaf NAME CA DAYS SAN
leaf() {
    key "$1"
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' >"$1.ext"
    printf 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' "$4" >>"$1.ext"
    openssl req -new -key "$1.key" -subj "/O=Test/CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -sha256 \
        -days "$3" -extfile "$1.ext" -out "$1.pem" 2>/dev/null
}

ca ca
ca other-ca
leaf server ca 30 "URI:spiffe://test/broker/a,DNS:localhost,IP:127.0.0.1"
leaf server-renewed ca 30 "URI:spiffe://test/broker/a"
leaf client ca 30 "URI:spiffe://test/window/b"
leaf renewed ca 30 "URI:spiffe://test/window/b"
leaf two-ids ca 30 "URI:spiffe://test/window/b,URI:spiffe://test/window/c"
leaf no-id ca 30 "DNS:localhost,IP:127.0.0.1"
leaf not-spiffe ca 30 "URI:https://test/window/b"
leaf expired ca 0 "URI:spiffe://test/window/b"
leaf stranger other-ca 30 "URI:spiffe://test/window/b"

key self
openssl req -x509 -new -key self.key -sha256 -days 30 -subj "/O=Test/CN=self" -out self.pem \
    -addext "subjectAltName=URI:spiffe://test/window/b"
