"""What a broker tells its operator's tools, for test_operations: its methods (gRPC server reflection, as grpcurl
asks) and how its own connections stand. Everybody else is refused, and that is evidence."""

import json
import os
import re
import subprocess
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture  # noqa: E402
from processes import wait_until  # noqa: E402
from stubs import Contract, Refused, secure_channel  # noqa: E402

SECONDS = 60
V1, ALPHA = (f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha"))
_NOT_FOUND, _INVALID_ARGUMENT = 5, 3
_MAX_QUESTIONS = 1024
_contract = None


class Introspection:
    def setUp(self):
        global _contract  # pylint: disable=global-statement
        _contract = _contract or Contract()
        self.contract = _contract
        self.question = self.contract.type("grpc.reflection.v1.ServerReflectionRequest")
        self.answer = self.contract.type("grpc.reflection.v1.ServerReflectionResponse")

    def channel(self, name):
        """To the broker, with a member's certificate."""
        member = self.federation.members[name]
        channel = secure_channel(self.federation.members["broker"].address, member.path("ca.pem"),
                                 member.path("cert.pem"), member.path("key.pem"))
        self.addCleanup(channel.close)
        return channel

    def ask(self, channel, *questions, path=V1):
        """Answers to questions, each a message or bytes; raises Refused."""
        call = channel.stream_stream(path, request_serializer=lambda q: q if isinstance(q, bytes)
                                     else q.SerializeToString(), response_deserializer=self.answer.FromString)
        try:
            return list(call(iter(questions), timeout=SECONDS))
        except grpc.RpcError as error:
            raise self.contract.refused(error) from None

    def services(self, channel, path=V1):
        said, = self.ask(channel, self.question(list_services="*"), path=path)
        return {service.name for service in said.list_services_response.service}

    def refusal(self, channel, *questions, path=V1):
        with self.assertRaises(Refused) as refused:
            self.ask(channel, *questions, path=path)
        return refused.exception.code

    def operations(self, channel, method):
        return self.contract.call(channel, "Operations/" + method, b"")

    # --- methods ---

    def test_a_tool_that_knows_nothing_finds_and_calls_a_method(self):
        channel, pool, read = self.channel("broker"), descriptor_pool.DescriptorPool(), set()

        def learn(question):
            said, = self.ask(channel, question)
            for raw in said.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(raw)
                if file.name not in read:
                    read.add(file.name)
                    for name in file.dependency:
                        learn(self.question(file_by_filename=name))
                    pool.Add(file)

        names = self.services(channel)
        self.assertEqual(names, self.services(channel, ALPHA))
        self.assertLessEqual({"lianban.v1.Broker", "lianban.v1.Operations", "lianban.v1.Evidence",
                              "lianban.v1.Node", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}, names)
        self.assertNotIn("lianban.v1.Adapter", names)
        for name in names:
            learn(self.question(file_containing_symbol=name))
        method = pool.FindServiceByName("lianban.v1.Operations").FindMethodByName("GetStatus")
        factory = message_factory.MessageFactory(pool)
        call = channel.unary_unary("/lianban.v1.Operations/GetStatus",
                                   request_serializer=factory.GetPrototype(method.input_type).SerializeToString,
                                   response_deserializer=factory.GetPrototype(method.output_type).FromString)
        said = call(factory.GetPrototype(method.input_type)(), timeout=SECONDS)
        self.assertEqual(said.broker, self.federation.members["broker"].spiffe)

    def test_questions_about_what_is_not_there(self):
        channel = self.channel("broker")
        hostile = ["", ".", "..", "lianban", "lianban.v1", "lianban.v1.", "lianban.v1.Read", "lianban.v1.Broker.",
                   "lianban.v1.Fact.State.OK.x", "lianban..v1.Broker", "a." * 400, "../../etc/passwd",
                   "google.protobuf.FileDescriptorSet", "lianban.v1.Broker.Collect.Collect"]
        questions = [self.question(**{kind: name}) for name in hostile
                     for kind in ("file_by_filename", "file_containing_symbol", "all_extension_numbers_of_type")]
        questions.append(self.question(file_containing_extension={"containing_type": "lianban.v1.Fact"}))
        for said in self.ask(channel, *questions):
            self.assertEqual(said.error_response.error_code, _NOT_FOUND, said)
        said, = self.ask(channel, self.question(host="nothing else"))
        self.assertEqual(said.error_response.error_code, _INVALID_ARGUMENT)
        for symbol in ("lianban.v1.Fact.State", "lianban.v1.Fact.text", "lianban.v1.Broker.Collect"):
            said, = self.ask(channel, self.question(file_containing_symbol=symbol))
            self.assertEqual(len(said.file_descriptor_response.file_descriptor_proto), 1, symbol)

    def test_floods_and_garbage_end_the_stream_alone(self):
        channel = self.channel("broker")
        self.assertEqual(self.refusal(channel, self.question(file_containing_symbol="a" * 1100)), "TOO_LARGE")
        self.assertEqual(self.refusal(channel, b"\xff" * 64), "MALFORMED")
        self.assertEqual(self.refusal(channel, self.question(host="\0", list_services="").SerializeToString()),
                         "MALFORMED")
        many = [self.question(list_services="")] * (_MAX_QUESTIONS + 1)
        self.assertEqual(self.refusal(channel, *many), "BUSY")
        self.assertIn("lianban.v1.Broker", self.services(channel))

    # --- connections ---

    def test_connections_and_what_became_of_calls(self):
        channel, name = self.channel("broker"), "education"
        spiffe = self.federation.members[name].spiffe

        def rows():
            said = self.operations(channel, "GetChannels")
            self.assertEqual((said.broker, said.omitted), (self.federation.members["broker"].spiffe, 0))
            self.assertEqual({queue.name for queue in said.queues}, {"log", "calls", "collects"})
            return {row.peer: row for row in said.channels}

        def state_of(peer):
            row = rows()[peer]
            return row.State.Name(row.state)
        wait_until(lambda: state_of(spiffe) == "READY", SECONDS, "a link")
        found = rows()
        server = found[""]
        self.assertEqual(server.State.Name(server.state), "LISTENING")
        self.assertGreater(server.succeeded, 0)
        self.assertGreaterEqual(server.started, server.succeeded + server.failed)
        self.assertEqual({found[peer].target for peer in (spiffe,)}, {self.federation.members[name].address})
        before = found[spiffe]
        self.assertGreater(before.started, before.succeeded + before.failed)  # the link itself is open
        self.federation.processes[name].kill()
        wait_until(lambda: state_of(spiffe) == "FAILING", SECONDS, "nobody there")
        wait_until(lambda: rows()[spiffe].last_failure == "UNAVAILABLE", SECONDS, "a call that failed")
        gone = rows()[spiffe]
        self.assertGreater(gone.failed, before.failed)
        self.assertGreaterEqual(gone.since_unix_ms, before.since_unix_ms)
        code, report = self.channels("broker")
        row, = [row for row in report["rows"] if row["peer"] == spiffe]
        self.assertEqual((code, row["level"], row["last_failure"]), (1, "yellow", "UNAVAILABLE"), row)
        self.assertNotRegex(json.dumps(report), re.compile(r"\d{17}[\dX]"))
        self.federation.restart(name)
        wait_until(lambda: state_of(spiffe) == "READY", SECONDS, "the link again")

    def channels(self, name):
        ended = subprocess.run(
            [os.path.join(fixture.BIN, "lianban"), "status", "--channels", "--json", "--config",
             self.federation.members[name].config], capture_output=True, text=True, timeout=SECONDS, check=False)
        return ended.returncode, json.loads(ended.stdout)

    # --- others ---

    def test_others_are_refused_and_that_is_evidence(self):
        def denials():
            return sum(entry["count"] for entry in self.federation.entries("broker", "--type", "deny")
                       if entry["code"] == "ROLE_NOT_ALLOWED")
        before = denials()
        for name in ("window", "tax", "consent"):
            channel = self.channel(name)
            for path in (V1, ALPHA):
                self.assertEqual(self.refusal(channel, self.question(list_services=""), path=path),
                                 "ROLE_NOT_ALLOWED")
            with self.assertRaises(Refused) as refused:
                self.operations(channel, "GetChannels")
            self.assertEqual(refused.exception.code, "ROLE_NOT_ALLOWED")
        wait_until(lambda: denials() >= before + 9, SECONDS, "nine denials in the broker's log")
