"""The wire contract only ever grows: whatever version 0.1.0 could say or ask is there still, under the same
numbers, names and types, so that neighbours one version apart understand each other. A field that is new is one
that the older neighbour skips. The bytes themselves are in tests/frozen."""

import os
import sys
import unittest

from google.protobuf import descriptor_pb2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import stubs  # noqa: E402

FROZEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "frozen", "contract-v1.txt")
OURS = "lianban.v1"


def _fields(name, message):
    kinds = descriptor_pb2.FieldDescriptorProto
    for field in message.field:
        label, kind = kinds.Label.Name(field.label), kinds.Type.Name(field.type)
        choice = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else "-"
        yield f"field {name} {field.number} {field.name} {label} {kind} {field.type_name or '-'} {choice}"
    for nested in message.nested_type:
        yield from _fields(f"{name}.{nested.name}", nested)
    for enum in message.enum_type:
        yield from _values(f"{name}.{enum.name}", enum)


def _values(name, enum):
    for value in enum.value:
        yield f"value {name} {value.number} {value.name}"


def _methods(service):
    for method in service.method:
        ways = ("stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming))
        yield f"rpc {service.name}/{method.name} {method.input_type} {method.output_type} {' '.join(ways)}"


def contract():
    """Every field, value and method there is, a line each."""
    lines = []
    for file in stubs.descriptors(stubs.PROTO).file:
        if file.package != OURS:
            continue
        for message in file.message_type:
            lines += _fields(message.name, message)
        for enum in file.enum_type:
            lines += _values(enum.name, enum)
        for service in file.service:
            lines += _methods(service)
    return sorted(lines)


class Contract(unittest.TestCase):
    def test_nothing_that_was_ever_said_is_gone(self):
        with open(FROZEN, encoding="utf-8") as file:
            frozen = [line.rstrip("\n") for line in file if not line.startswith("#")]
        self.assertGreater(len(frozen), 400)
        self.assertEqual(sorted(set(frozen) - set(contract())), [])


if __name__ == "__main__":
    unittest.main()
