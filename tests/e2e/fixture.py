"""A running federation for a module of end-to-end tests.

LIANBAN_BIN names the folder of the programs (default .build/bin), LIANBAN_PEOPLE the size of the
population. LIANBAN_KEEP=1 leaves the folders behind for a look.
"""

import datetime
import os
import shutil
import sys
import tempfile
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "demo"), os.path.join(ROOT, "tests", "interop")]

from federation import Federation  # noqa: E402
from generate import DEFAULT_SEED  # noqa: E402

BIN = os.environ.get("LIANBAN_BIN", os.path.join(ROOT, ".build", "bin"))
PEOPLE = int(os.environ.get("LIANBAN_PEOPLE", "400"))
KEEP = os.environ.get("LIANBAN_KEEP") == "1"


def folder():
    """A folder that goes when the module is done."""
    path = tempfile.mkdtemp(prefix="lianban-e2e-")
    if not KEEP:
        unittest.addModuleCleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def made(people=PEOPLE, share_runs=4, witnessed=False, ready=None, **more):
    """A federation with its databases, keys and configurations, not started. `share_runs` is how
    often one person's income may be added up; `ready` is called before anything is made; `more` is the
    Federation's."""
    federation = Federation(folder(), BIN, share_runs=share_runs, witnessed=witnessed, **more)
    federation.populate(DEFAULT_SEED, people, datetime.date.today())
    if ready is not None:
        ready(federation)
    federation.make()
    return federation


def running(people=PEOPLE, share_runs=4, witnessed=False):
    """A federation that is up; stopped when the module is done."""
    federation = made(people, share_runs, witnessed)
    unittest.addModuleCleanup(federation.stop)
    federation.start()
    return federation


def expire(federation, path):
    """Signs a certificate's content anew with the CA's key, for a time that is over."""
    with open(path, "rb") as file:
        old = x509.load_pem_x509_certificate(file.read())
    with open(os.path.join(federation.material.pki, "ca-key.pem"), "rb") as file:
        ca_key = serialization.load_pem_private_key(file.read(), None)
    now = datetime.datetime.utcnow()
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number, now - datetime.timedelta(days=365),
        now - datetime.timedelta(minutes=2))
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    with open(path, "wb") as file:
        file.write(builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
