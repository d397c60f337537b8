#!/usr/bin/env python3
"""Runs a whole federation on this machine and tells what it does.

Ten departments' adapters, a broker, a consent office, a window agent and an audit office start as processes with
a fresh PKI; then a story in numbered scenes, in Chinese and English. Exit status 0 if every expectation
held, 1 if one did not or something could not be started, 2 for wrong usage.
"""

import argparse
import datetime
import json
import os
import shutil
import signal
import sys
import tempfile
import time

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(os.path.dirname(_HERE), "tests", "interop")]

import outreach  # noqa: E402
import story  # noqa: E402
from federation import Federation  # noqa: E402
from generate import DEFAULT_PEOPLE, DEFAULT_SEED  # noqa: E402
from material import CommandFailed  # noqa: E402
from processes import StartFailed  # noqa: E402
from stubs import Refused  # noqa: E402
from tell import Narrator  # noqa: E402

_BINARIES = os.path.join(os.path.dirname(_HERE), ".build", "bin")
_SECONDS = 50


def _arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=_BINARIES, metavar="DIR", help="the programs; default .build/bin")
    parser.add_argument("--dir", metavar="D", help="where all state goes, new or empty; default: a "
                        "temporary folder that is removed at the end")
    parser.add_argument("--serve", action="store_true", help="leave everything running until interrupted")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON document")
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help=f"default {DEFAULT_PEOPLE}")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--seconds", type=int, default=_SECONDS, metavar="N", help="how long households "
                        f"besides those of the story may begin to apply; default {_SECONDS}")
    parser.add_argument("--all-forms", action="store_true", help="instead of the story: every class of every "
                        "form, and the triggers")
    parser.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.date.today(),
                        metavar="YYYY-MM-DD", help="the day of the data; default: the current date")
    parser.add_argument("--port-base", type=int, metavar="N", help="fifteen ports from N; default: free ones")
    arguments = parser.parse_args(argv)
    if arguments.dir and os.path.isdir(arguments.dir) and os.listdir(arguments.dir):
        parser.error(f"{arguments.dir} is not empty; name a new folder, or remove it first")
    if not 1 <= arguments.people <= 2000000:
        parser.error("--people must be from 1 to 2000000")
    if arguments.port_base is not None and not 1024 <= arguments.port_base <= 65500:
        parser.error("--port-base must be from 1024 to 65500")
    return arguments


def _run(federation, narrator, arguments):
    """Makes, starts, tells; returns the results."""
    began = time.monotonic()
    num_people = federation.populate(arguments.seed, arguments.people, arguments.today)
    watches = outreach.plant(federation) if arguments.all_forms else []
    federation.make()
    story.introduce(narrator, num_people, federation)
    federation.start()
    narrator.say(f"全部就绪，用时 {time.monotonic() - began:.1f} 秒。",
                 f"everything is up after {time.monotonic() - began:.1f} s.")
    results = (story.tell_forms(federation, narrator, watches) if arguments.all_forms
               else story.tell(federation, narrator, arguments.seconds))
    results.update(people=num_people, households=len(federation.households), seed=arguments.seed,
                   today=arguments.today.isoformat(), dir=federation.root)
    return results


def _serve(federation, narrator):
    federation.write_applications()
    narrator.scene("保持运行", "Left running")
    narrator.say(f"地址与证书见 {federation.root}/endpoints.json，申请样例见 applications/；按 Ctrl-C 停止。",
                 f"addresses and certificates: {federation.root}/endpoints.json; households to try: "
                 "applications/; Ctrl-C stops.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        narrator.say("正在停止。", "stopping.")


def _told(federation, narrator, arguments):
    """The whole run; whatever happens, nothing is left running."""
    try:
        results = _run(federation, narrator, arguments)
        if arguments.serve:
            _serve(federation, narrator)
    finally:
        unclean = federation.stop()
    narrator.verdict(not unclean, "全部进程干净停止" if not unclean else "未干净停止：" + " ".join(unclean),
                     "every process stopped cleanly" if not unclean else "these did not stop cleanly")
    results["ok"] = results["ok"] and not unclean
    results["stopped_cleanly"] = not unclean
    return results


def main(argv=None):
    arguments = _arguments(argv)
    # Both end it cleanly, also where a shell started it in the background with SIGINT ignored.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    narrator = Narrator(sys.stderr if arguments.json else sys.stdout)
    root = arguments.dir or tempfile.mkdtemp(prefix="lianban-demo-")
    os.makedirs(root, exist_ok=True)
    try:
        federation = Federation(root, arguments.bin, arguments.port_base, witnessed=True,
                                watching=outreach.SOURCES if arguments.all_forms else ())
        results = _told(federation, narrator, arguments)
    except (CommandFailed, StartFailed, Refused, TimeoutError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    finally:
        if arguments.dir is None:
            shutil.rmtree(root, ignore_errors=True)
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False, indent=1))
    return 0 if results["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
