#!/usr/bin/env python3
"""A window system in Python: takes households' applications to the window agent beside it.

    window.py --agent 127.0.0.1:7412 --secret local.key household.json...

A household file: {"members": [{"role": "applicant", "id_no": "...", "name": "..."}, ...]}, applicant first.
Exit status: 0 every case came to a suggestion (MANUAL is one), 1 something was refused, 2 wrong usage.
"""

import argparse
import json
import random
import sys
import time

from agent import Agent, Refused, Unreachable

FORM = "social-assistance"
BADGE, UNIT = "W-0017", "street-office-01"   # who serves the citizen; a real window has them from the login
WAITING = ("GRANT_PENDING",)                 # the citizens are on their way to the desk
PASSING = ("BUSY", "UNAVAILABLE", "STOPPING", "DEADLINE")  # worth another try


def open_case(agent, members):
    """Starts a case and shows the citizens what they will be asked to agree to."""
    case = agent.call("OpenCase", {"form": FORM, "members": members, "operator_badge": BADGE,
                                   "operator_unit": UNIT})
    notice = agent.call("GetNotice", {**case, "language": "zh"})
    say(notice["text"].splitlines()[0])
    return case


def send_to_desk(agent, case, household, tickets_file):
    """Every citizen gets a number; at the consent desk they show their document and decide."""
    tickets = agent.call("RequestGrants", case)["tickets"]
    for ticket in tickets:
        say(f"  member {ticket['member']}: code {ticket['code']} ({ticket['request_id']})")
    if tickets_file:
        with open(tickets_file, "a", encoding="utf-8") as file:
            file.write(json.dumps({"household": household, "tickets": tickets}) + "\n")


def collect(agent, case, patience):
    """Asks the departments once every grant is there. Asked again, it completes what is missing."""
    until, result = time.monotonic() + patience, None
    while result is None:
        try:
            for event in agent.events("Collect", case):   # to its end: until then the case can't be closed
                if "fact" in event:
                    show_fact(event["fact"])
                result = event.get("result")
        except Refused as refused:
            if refused.code not in WAITING + PASSING or time.monotonic() > until:
                raise
            if refused.wait_seconds:
                say(f"  {refused.text_zh} {refused.text_en}")
            time.sleep((refused.wait_seconds or 0.2) * random.uniform(1, 1.5))  # not all at the same instant
    return result


def show_fact(fact):
    """A fact with its source. What the form does not display comes without a value."""
    value = fact["shown"] if fact["state"] == "ok" else f"{fact['state']} {fact['code']}"
    say(f"  {fact['member']} {fact['department']:20} {fact['fact']:18} {value or '(used, not shown)'}")


def show_result(result):
    """The suggestion with its reasons. MANUAL is no failure: a person decides, and sees what is missing."""
    say(f"suggested: {result['class_id']} {result['class_zh']} {result['class_en']}")
    for reason in result["reasons"]:
        say(f"  {reason['truth']:8} {reason['text_zh']} ({reason['source']})")
    for fact in result["missing"]:
        say(f"  missing: member {fact['member']}, {fact['department']} {fact['fact']}: {fact['state']}")
    if result["receipts_failed"]:
        say(f"  {result['receipts_failed']} receipts do not hold: tell the security officer")


def serve_household(agent, path, options):
    """One application, from the counter to the suggestion."""
    with open(path, encoding="utf-8") as file:
        members = json.load(file)["members"]
    case = open_case(agent, members)
    try:
        send_to_desk(agent, case, path, options.tickets)
        result = collect(agent, case, options.wait)
    finally:
        if not options.keep:
            agent.call("CloseCase", case)   # erases identities, grants and facts at the agent
    show_result(result)
    return {"household": path, "class": result["class_id"], "receipts_checked": result["receipts_checked"],
            "receipts_failed": result["receipts_failed"]}


def say(text):
    print(text, file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("households", nargs="+", metavar="HOUSEHOLD.json")
    parser.add_argument("--agent", required=True, metavar="HOST:PORT", help="the agent's local.http")
    parser.add_argument("--secret", required=True, metavar="FILE", help="the agent's local.secret")
    parser.add_argument("--tickets", metavar="FILE", help="append the desk's tickets there, one JSON a case")
    parser.add_argument("--wait", type=float, default=120, metavar="SECONDS", help="for the desk; default 120")
    parser.add_argument("--keep", action="store_true", help="do not close the cases")
    options = parser.parse_args()
    try:
        agent = Agent(options.agent, options.secret)
        for path in options.households:
            print(json.dumps(serve_household(agent, path, options)), flush=True)
    except Refused as refused:
        say(f"refused: {refused.code}\n  {refused.text_zh}\n  {refused.text_en}")
        return 1
    except (Unreachable, OSError) as error:
        say(f"window: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
