#!/usr/bin/env python3
"""Plays the citizens at the consent desk, for the examples: agrees to every ticket in a file as it appears.

    desk.py --lianban .build/bin/lianban --desk D/consent/desk-1/node.yaml --tickets tickets.jsonl

A real desk compares the document with the person in front of it; nothing of this belongs into a window.
Stops when interrupted.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

AT_ONCE = 4


def documents(members, index):
    """Whose numbers are shown: one's own; a child's guardian's; from 14 on the child's and the guardian's."""
    own, guardian = members[index]["id_no"], members[0]["id_no"]
    if members[index]["role"] != "child":
        return [own]
    age = (int(time.strftime("%Y%m%d")) - int(own[6:14])) // 10000
    return [own, guardian] if age >= 14 else [guardian]


def confirm(options, members, ticket):
    """One citizen shows a document, is told, and agrees."""
    shown, *also = documents(members, ticket["member"])
    command = [options.lianban, "consent", "confirm", "--desk", options.desk, "--request", ticket["request_id"],
               "--code", ticket["code"], "--document", "-", "--method", "face", "--level", "3", "--json"]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as second:
        if also:
            second.write(also[0])
            second.flush()
            command += ["--also-document", second.name]
        run = subprocess.run(command, input=shown, capture_output=True, text=True, check=False)
    said = "agreed" if run.returncode == 0 else run.stderr.strip()
    print(f"desk: {ticket['request_id']} {said}", file=sys.stderr, flush=True)


def new_lines(path):
    """Whole lines of a file as they are appended; a name that is not there yet is waited for."""
    while not os.path.exists(path):
        time.sleep(0.05)
    with open(path, encoding="utf-8") as file:
        rest = ""
        while True:
            rest += file.read()
            *lines, rest = rest.split("\n")
            yield from lines
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lianban", required=True, metavar="PROGRAM")
    parser.add_argument("--desk", required=True, metavar="NODE.yaml", help="the desk's own configuration")
    parser.add_argument("--tickets", required=True, metavar="FILE", help="what the windows append to")
    options = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for line in new_lines(options.tickets):
            case = json.loads(line)
            with open(case["household"], encoding="utf-8") as file:
                members = json.load(file)["members"]
            for ticket in case["tickets"]:
                pool.submit(confirm, options, members, ticket)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
