"""Policies that find people: who agreed is looked at, and civil affairs is told whom to reach (docs/OUTREACH.md)."""

import burdens
from clerks import enrolled
from material import TRIGGERS
from members import agent_of
from processes import wait_until

REACHES_OUT = "civil-affairs"
SOURCES = tuple(TRIGGERS.values())
_SECONDS = 30


class Outreach:
    """The departments' agents with everybody who agreed, and the clerk who gets the signals."""

    def __init__(self, federation, watches, version):
        self.federation, self.watches = federation, watches
        self.clerk = enrolled(federation, (REACHES_OUT,), version)[REACHES_OUT]
        for watch in watches:
            watch["case"], watch["grants"] = self._agree(watch)

    def _agree(self, watch):
        """Everybody of the household agrees at the desk, once for a year."""
        agent, members = self.federation.window_at(agent_of(TRIGGERS[watch["form"]])), watch["members"]
        case_id = agent.open(members, watch["form"])
        return case_id, agent.agree(case_id, members)

    def command(self, word, form, *options):
        """`lianban event` at the agent of the trigger's source."""
        address = self.federation.members[agent_of(TRIGGERS[form])].address
        return self.federation.material.lianban("event", word, form, "--agent", address, *options, may_fail=True)

    def run(self, form):
        return self.command("run", form, "--per-minute", "6000")

    def of(self, form):
        return [watch for watch in self.watches if watch["form"] == form]

    def candidates(self, form):
        """Who should be found, by the numbers of their watches."""
        return {watch["case"] for watch in self.of(form) if watch["class"] == "CANDIDATE"}

    def signals(self, form):
        """What the clerk has of a trigger."""
        return [part for part in self.clerk.parts() if part.form == form and part.kind == "signal"]

    def wait_signals(self, form, least):
        wait_until(lambda: len(self.signals(form)) >= least, _SECONDS, f"{least} signals of {form}")

    def close(self):
        self.clerk.close()


def plant(federation, without=()):
    """What the triggers are to find, in a federation that is populated and not made yet."""
    return burdens.plant(federation.people, federation.households, federation.root + "/departments", without)


def finding(federation, narrator, watches):
    """The scene: found by the triggers, and true."""
    narrator.scene("政策找人：长期授权、主动发现、只发线索", "Policies that find people: agreed once, found, only signalled")
    narrator.say("本人同意一次，数据部门的代理定期比对；收入盲加，其余只答是否；可能符合的只告知民政部门联系谁，不符合的不留痕迹。",
                 "Agreed once; the department's own agent looks; incomes are added up blindly, all else is a yes or "
                 "no; civil affairs is told whom to reach and nothing else, and of others nothing stays.")
    outreach, rows = Outreach(federation, watches, 2), []
    for form in TRIGGERS:
        true, told = outreach.candidates(form), outreach.run(form)
        outreach.wait_signals(form, told.get("signalled", 0))
        found = {part.case_id for part in outreach.signals(form)}
        good = found == true and told.get("looked") == len(outreach.of(form))
        narrator.row(good, (form, 20), (f"{len(outreach.of(form))} 关注 watched", 18), (f"{len(true)} 应找 true", 14),
                     (f"{len(found)} 找到 found", 14), (f"{len(found & true)} 正确 right", 0))
        rows.append({"trigger": form, "watched": len(outreach.of(form)), "true": len(true), "found": len(found),
                     "right": len(found & true), "ok": good})
    outreach.close()
    narrator.verdict(all(row["ok"] for row in rows), "应找的全部找到，没有一户找错，无法确定的不发线索",
                     "all who should be are found and nobody else; what is not known is not signalled")
    return {"scene": "outreach", "ok": all(row["ok"] for row in rows), "triggers": rows}
