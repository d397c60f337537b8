"""The wire contract: messages and calls straight from proto/, over stock gRPC.

protoc's descriptors go into a pool of their own and nothing generated is kept. A request may be a
message, or bytes that are sent as they are.
"""

import os
import re
import subprocess
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")
_FILES = ("lianban/v1/adapter.proto", "lianban/v1/broker.proto", "lianban/v1/consent.proto",
          "lianban/v1/error.proto", "lianban/v1/evidence.proto", "lianban/v1/link.proto",
          "lianban/v1/parcel.proto", "lianban/v1/read.proto", "lianban/v1/window.proto", "grpc/health/v1/health.proto",
          "google/rpc/status.proto", "grpc/reflection/v1/reflection.proto", "lianban/v1/node.proto")
_DETAILS = "grpc-status-details-bin"
_CODE = re.compile("[A-Z]+(_[A-Z]+)*")
_OPTIONS = (("grpc.max_receive_message_length", 8 << 20), ("grpc.max_send_message_length", 8 << 20),
            ("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000))


class Refused(Exception):
    """A call that failed. `code` is the federation's own (REPLAY, ...) or "" if none came; `canonical`
    is gRPC's. After `retry_after_ms` another try is worth it; 0: not said."""

    def __init__(self, code, canonical, text, retry_after_ms=0):
        super().__init__(f"{canonical} {code}: {text}")
        self.code, self.canonical, self.text, self.retry_after_ms = code, canonical, text, retry_after_ms


class Contract:
    """Messages and calls by name; names without a dot are in lianban.v1."""

    def __init__(self, proto=PROTO):
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptors(proto).file:
            self._pool.Add(file)
        self._factory = message_factory.MessageFactory(self._pool)

    def type(self, name):
        """The class of a message."""
        full = name if "." in name else "lianban.v1." + name
        return self._factory.GetPrototype(self._pool.FindMessageTypeByName(full))

    def new(self, name, /, **fields):
        """A new message."""
        return self.type(name)(**fields)

    def methods(self):
        """Every method of our services as "Service/Method", with (client streams, server streams)."""
        found = {}
        for file in _FILES:
            if not file.startswith("lianban/"):
                continue
            for service in self._pool.FindFileByName(file).services_by_name.values():
                for method in service.methods:
                    found[f"{service.name}/{method.name}"] = (method.client_streaming,
                                                              method.server_streaming)
        return found

    def call(self, channel, method, request, timeout=20, metadata=()):
        """A unary call ("Broker/ListForms"); raises Refused."""
        try:
            return self._prepare(channel, method)(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise self.refused(error) from None

    def stream(self, channel, method, request, timeout=30, metadata=()):
        """A call that is answered by a stream; yields messages, raises Refused."""
        try:
            yield from self._prepare(channel, method)(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            raise self.refused(error) from None

    def duplex(self, channel, method, requests, timeout=30):
        """A call with streams both ways; returns gRPC's own call object, which yields messages."""
        return self._prepare(channel, method)(requests, timeout=timeout)

    def refused(self, error):
        """A failed call's Refused, with the code from google.rpc.Status."""
        for key, value in error.trailing_metadata() or ():
            if key == _DETAILS:
                status = self.type("google.rpc.Status").FromString(value)
                detail = self.type("ErrorDetail").FromString(status.details[0].value)
                return Refused(detail.code, error.code().name, detail.text_en, detail.retry_after_ms)
        # A stream that was cut in the middle of a message carries our code as its message.
        text = error.details() or ""
        return Refused(text if _CODE.fullmatch(text) else "", error.code().name, text)

    def _prepare(self, channel, method):
        service, _, name = method.partition("/")
        full = service if "." in service else "lianban.v1." + service
        entry = self._pool.FindServiceByName(full).FindMethodByName(name)
        ways = ("stream" if entry.client_streaming else "unary",
                "stream" if entry.server_streaming else "unary")
        reply = self._factory.GetPrototype(entry.output_type)
        return getattr(channel, "_".join(ways))(
            f"/{full}/{name}", request_serializer=_serialize, response_deserializer=reply.FromString)


def _serialize(request):
    return request if isinstance(request, bytes) else request.SerializeToString()


def secure_channel(address, ca, cert=None, key=None):
    """A channel that trusts `ca` and shows `cert`, if any; all but the address are paths."""
    parts = []
    for path in (ca, key, cert):
        if path is None:
            parts.append(None)
            continue
        with open(path, "rb") as file:
            parts.append(file.read())
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(*parts), options=_OPTIONS)


def plain_channel(address):
    """A channel without TLS."""
    return grpc.insecure_channel(address, options=_OPTIONS)


def descriptors(proto):
    """The contract as protoc describes it."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "contract.bin")
        subprocess.run(["protoc", "-I", proto, "--include_imports", "--descriptor_set_out", out,
                        *_FILES], check=True)
        with open(out, "rb") as file:
            return descriptor_pb2.FileDescriptorSet.FromString(file.read())
