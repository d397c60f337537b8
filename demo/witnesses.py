"""Who cosigns whose log: keys, policies and the nodes' configurations."""

POLICY = "witnesses.policy"
_INTERVAL_SECONDS = 1


class Witnesses:
    """The broker witnesses everybody, the adapters that listen witness the broker, and an audit office
    witnesses all of them. Without an audit office among the members nobody witnesses anybody."""

    def __init__(self, members, lianban):
        self._members, self._lianban = members, lianban
        self._vkeys = {}

    @property
    def _at_work(self):
        return "audit" in self._members

    def make(self):
        """A key for each witness, and each log's policy."""
        if not self._at_work:
            return
        for member in self._members.values():
            if self._of_witness(member):
                self._vkeys[member.name] = self._lianban(
                    "keys", "witness", "--out", member.path("witness.pem"), "--name", member.spiffe)["vkey"]
        for member in self._members.values():
            if member.keeps_log and member.name != "audit":
                with open(member.path(POLICY), "w", encoding="utf-8") as file:
                    file.write(self._policy(member))

    def configuration(self, member):
        """The member's part about witnesses."""
        own = {}
        if not self._at_work or not member.keeps_log:
            return own
        logs = self._of_witness(member)
        if logs:
            own["witness"] = {"key": "witness.pem", "logs": [self._members[name].spiffe for name in logs]}
        if member.name != "audit":
            own["witnessed_by"] = {"policy": POLICY, "interval_s": _INTERVAL_SECONDS}
        return own

    def _of_witness(self, member):
        """Whose logs it witnesses."""
        logs = [m.name for m in self._members.values() if m.keeps_log and m.name not in ("audit", member.name)]
        if member.name in ("broker", "audit"):
            return logs
        return ["broker"] if member.kind == "adapter" and member.address else []

    def _policy(self, member):
        """Two departments and the audit office for the broker; the broker and the audit office for others."""
        lines = [f"# who must have cosigned the log of {member.spiffe}"]
        named = [m for m in self._members.values() if m.name in self._vkeys and member.name in self._of_witness(m)]
        for witness in named:
            lines.append(f"witness {witness.name} {self._vkeys[witness.name]} {witness.spiffe}")
        if member.name == "broker":
            departments = " ".join(witness.name for witness in named if witness.kind == "adapter")
            lines += [f"group departments 2 {departments}", "group everybody all departments audit"]
        else:
            lines.append("group everybody all broker audit")
        return "\n".join([*lines, "quorum everybody"]) + "\n"
