"""What must not stand in the text: banned calls, leaks of time, leftovers, sizes."""

import os
import re

MAX_FUNCTION_LINES, GOOD_FUNCTION_LINES = 60, 40
MAX_FILE_LINES = 400
MAX_COLUMNS = {".c": 100, ".h": 100, ".py": 120, ".js": 120, ".java": 120}

BANNED = {
    "strcpy": "lb_span and a stated size", "stpcpy": "lb_span and a stated size",
    "strcat": "lb_buf", "strncat": "lb_buf", "strncpy": "memcpy after a check",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "fgets",
    "strtok": "strtok_r or a scan by hand", "atoi": "strtol and its checks",
    "atol": "strtol and its checks", "atoll": "strtoll and its checks",
    "atof": "integers", "alloca": "an arena", "system": "posix_spawn with an argv",
    "popen": "posix_spawn with an argv", "rand": "lb_crypto_random", "srand": "lb_crypto_random",
    "random": "lb_crypto_random", "srandom": "lb_crypto_random", "drand48": "lb_crypto_random",
    "tmpnam": "mkstemp", "tempnam": "mkstemp", "mktemp": "mkstemp", "asctime": "strftime",
    "ctime": "strftime", "localtime": "localtime_r", "gmtime": "gmtime_r",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))

COMPARISON = re.compile(r"\b(memcmp|bcmp|strcmp|lb_span_eq)\s*\(")
SECRET = re.compile(r"(^|_)(secret|private|mac|salt|commitment|password|passphrase|prk|seed)s?(_|$)")
SECRET_BYTES = re.compile(r"(^|_)(key|tag)s?(_|$)")
PUBLIC = re.compile(r"public|(^|_)log_key")

# Put together here so that this file is not its own first finding.
LEFTOVER = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")))
MACHINE = re.compile(r"(?<![\w.$})/-])/(work|root|home|Users)/\w")


def banned_calls(tree, build):
    """Calls that cannot be used safely, or that have a better counterpart here."""
    del build
    for source in tree.c():
        for line, text in enumerate(source.code_lines, 1):
            for match in BANNED_CALL.finditer(text):
                name = match.group(1)
                yield source.path, line, "%s is banned; use %s" % (name, BANNED[name])


def _arguments(code, start):
    """The arguments of a call, from the character after its bracket."""
    depth, begin, found = 0, start, []
    for at in range(start, len(code)):
        char = code[at]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            if depth == 0:
                return found + [code[begin:at]]
            depth -= 1
        elif char == "," and depth == 0:
            found.append(code[begin:at])
            begin = at + 1
    return found


def _named(argument):
    """The member an argument ends in: `key.bytes.ptr` is `key`."""
    argument = re.sub(r"\[[^\]]*\]", "", argument)
    argument = re.sub(r"(\.|->)(ptr|bytes|data)\b", "", argument)
    names = re.findall(r"\w+", re.sub(r"\(.*", "", argument.strip().lstrip("&*(")))
    return names[-1] if names else ""


def secret_comparisons(tree, build):
    """A comparison that ends at the first differing byte tells how many were right."""
    del build
    for source in tree.c():
        for match in COMPARISON.finditer(source.code):
            for argument in _arguments(source.code, match.end())[:2]:
                name = _named(argument)
                is_secret = SECRET.search(name) or (
                    match.group(1) in ("memcmp", "bcmp") and SECRET_BYTES.search(name))
                if is_secret and not PUBLIC.search(name):
                    yield (source.path, source.line_at(match.start()),
                           "%s on %s; secrets are compared by lb_crypto_equal"
                           % (match.group(1), name))
                    break


def function_sizes(tree, build):
    """A function that does not fit a page does more than one thing."""
    del build
    for source in tree.c():
        for function in source.functions():
            if function.num_lines > MAX_FUNCTION_LINES:
                yield (source.path, function.first, "%s has %d lines; %d is the most"
                       % (function.name, function.num_lines, MAX_FUNCTION_LINES))


def long_functions(tree):
    """Those past the good size but not past the limit; only counted."""
    return [(function.num_lines, source.path, function.name)
            for source in tree.c() for function in source.functions()
            if GOOD_FUNCTION_LINES < function.num_lines <= MAX_FUNCTION_LINES]


def file_sizes(tree, build):
    """One file, one idea."""
    del build
    for source in tree.sources:
        count = source.text.count("\n")
        if source.path.endswith((".c", ".h", ".py", ".js", ".java")) and count > MAX_FILE_LINES:
            yield source.path, 1, "%d lines; %d is the most" % (count, MAX_FILE_LINES)


def line_widths(tree, build):
    """Counted in characters, a Chinese one as one."""
    del build
    for source in tree.sources:
        most = MAX_COLUMNS.get(os.path.splitext(source.path)[1])
        if most is None:
            continue
        for line, text in enumerate(source.lines, 1):
            if len(text) > most:
                yield source.path, line, "%d columns; %d is the most" % (len(text), most)
            elif text != text.rstrip() or "\t" in text:
                yield source.path, line, "a tab, or blanks at the end"


def leftovers(tree, build):
    """What is not done is an issue, not a comment."""
    del build
    for source in tree.sources:
        for line, text in enumerate(source.lines, 1):
            match = LEFTOVER.search(text)
            if match and not source.path.endswith(".md"):
                yield source.path, line, "%s: finish it, or file an issue" % match.group(1)


def machine_paths(tree, build):
    """A path of somebody's machine means nothing on another."""
    del build
    for source in tree.sources:
        for line, text in enumerate(source.lines, 1):
            match = MACHINE.search(text)
            if match:
                yield source.path, line, "a path of one machine: /%s/..." % match.group(1)
