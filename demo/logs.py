"""Scenes about evidence: both sides hold it, and it holds."""

import collections

from members import DEPARTMENTS, NAMES

_NO_END = ": the broker knows no end of it"


def counterparts(federation, names=DEPARTMENTS, broker_died=False):
    """Compares the brokers' logs with the adapters', both ways; returns sentences on what is wrong.

    A request sent twice has its entries twice, so entries are paired by the hashes they name. A broker that
    died leaves ROUTE entries without an end: `broker_died` takes them as they are.
    """
    broker = [entry for name in federation.brokers for entry in federation.entries(name)]
    routes = {entry["leaf_hash"]: entry for entry in broker if entry["type"] == "ROUTE"}
    ends = [entry for entry in broker if entry["type"] in ("DELIVER", "FAILURE")]
    reads = {entry["leaf_hash"]: (name, entry) for name in names
             for entry in federation.entries(name, "--type", "read")}
    wrong = []
    for name, read in reads.values():
        wrong += _check_read(f"{name} {read['index']}", read, routes.pop(read["peer_leaf"], None))
    delivered = {}
    for end in ends:
        if end["type"] == "DELIVER":
            delivered[end["peer_leaf"]] = end
            if end["peer_leaf"] not in reads:
                wrong.append(f"broker {end['index']}: delivered what no adapter has an entry of")
    failed = collections.Counter(end["txn"] for end in ends if end["type"] == "FAILURE")
    for leaf_hash, (name, read) in reads.items():
        wrong += _check_end(f"{name} {read['index']}", read, delivered.get(leaf_hash), failed)
    if broker_died:
        return [sentence for sentence in wrong if not sentence.endswith(_NO_END)]
    for route in routes.values():
        failed[route["txn"]] -= 1
        if failed[route["txn"]] < 0:
            wrong.append(f"broker {route['index']}: routed, and neither an answer nor a failure")
    return wrong


def _check_read(where, read, route):
    """An adapter's entry against the ROUTE entry it names; each ROUTE is named once."""
    if route is None:
        return [f"{where}: names no ROUTE entry of the broker's"]
    if read["txn"] != route["txn"] or read["request_hash"] != route["request_hash"]:
        return [f"{where}: is about another request than the broker routed"]
    return []


def _check_end(where, read, deliver, failed):
    """An adapter's entry against what the broker did with the answer; an answer that came too late is a
    failure there, with the same txn."""
    if deliver is None:
        failed[read["txn"]] -= 1
        return [] if failed[read["txn"]] >= 0 else [where + _NO_END]
    if deliver["code"] != read["code"] or deliver["txn"] != read["txn"]:
        return [f"{where}: {read['code']} here, {deliver['code']} at the broker"]
    return []


def logs_hold(federation, narrator, refusals):
    """The refusals are found in both logs, both sides agree about every read, and all logs verify."""
    narrator.scene("证据：双方各有一份，改不了", "Evidence: on both sides, and it cannot be rewritten")
    found = [_find_refusal(federation, narrator, refusal) for refusal in refusals]
    wrong = counterparts(federation)
    narrator.verdict(not wrong, f"部门与中转方的日志逐条对应，不符 {len(wrong)} 条",
                     f"departments' and broker's logs answer each other entry by entry; {len(wrong)} do not")
    for sentence in wrong[:10]:
        narrator.line(sentence)
    verdict = federation.verify_logs()
    size = sum(log.get("size", 0) for log in verdict["logs"])
    narrator.verdict(verdict["verified"], f"lianban log verify：{len(verdict['logs'])} 个日志共 {size} 条，从头复算通过",
                     f"{len(verdict['logs'])} logs of {size} entries recomputed from the first byte")
    for log in verdict["logs"]:
        if log["code"] != "OK":
            narrator.line(f"{log['folder']}: {log['code']}: {log['place']}")
    return {"scene": "evidence", "ok": all(found) and not wrong and verdict["verified"],
            "refusals_found": sum(found), "mismatches": len(wrong), "logs": verdict["logs"]}


def _find_refusal(federation, narrator, refusal):
    """A department's officer finds a refusal in their own log, the broker's has its half."""
    department, txn = refusal["department"], refusal["txn"]
    own = federation.entries(department, "--txn", txn, details=True)
    last = own[-1] if own else {"code": "(none)"}
    detail = last.get("detail", {})
    code, who = last["code"], detail.get("requester", "(none)")
    if code == "ANSWERED":
        code = detail.get("code", "(none)")
    relayed = federation.entries("broker", "--txn", txn, "--type", "deliver")
    good = code == refusal["code"] and len(relayed) > 0
    narrator.row(good, (code, 20), (f"{NAMES[department][0]}安全员可见 {who}", 64),
                 (f"txn {txn[:8]}，中转方 {len(relayed)} 条", 0))
    return good
