"""Manual pages and shell completion, made of what the programs themselves say with --help."""

import dataclasses
import functools
import gzip
import os
import re
import subprocess

_NAME_COLUMN = 10  # of the overview (gateway/ctl/menu.c)
_OPTION = re.compile(r"^ +(--[a-z][a-z0-9-]*)", re.MULTILINE)


@dataclasses.dataclass
class Command:
    """A command of `lianban`; `words` maps each word under it, or two, or "" for none, to its help."""

    name: str
    summary: str
    words: dict


def options_of(text):
    """The options that a help text explains, in its order."""
    return list(dict.fromkeys(_OPTION.findall(text)))


def _said(program, *args):
    done = subprocess.run([program, *args], capture_output=True, text=True, check=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    return done.stdout


@functools.lru_cache
def commands_of(program):
    """Every command of `lianban`, with the help of its words."""
    found = []
    for line in _said(program, "--help").splitlines():
        if line.startswith("  "):
            name = line.split()[0]
            rest = line[2 + max(len(name), _NAME_COLUMN) + 1:]
            words = "" if rest.startswith(" ") else rest.split(" ", 1)[0]
            found.append(Command(name, rest[len(words):].strip(), _words_of(program, name)))
    return found


def _words_of(program, *names):
    text = _said(program, *names, "--help")
    words = re.findall(rf"^  lianban {' '.join(names)} ([a-z][a-z-]*)(?: |$)", text, re.MULTILINE)
    if re.search(r"^(?:usage|用法)", text, re.MULTILINE) or not words:
        return {"": text}
    return {f"{word} {further}".strip(): said for word in dict.fromkeys(words)
            for further, said in _words_of(program, *names, word).items()}


# --- manual pages ---

def _escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.splitlines())


def _verbatim(text):
    return f".nf\n{_escaped(text.rstrip())}\n.fi\n"


def _page(name, section, summary, date, parts):
    title = f'.TH "{name.upper()}" "{section}" "{date}" "Lianban" "Lianban"\n'
    out = [title, ".SH NAME\n", f"{_escaped(name)} \\- {_escaped(summary)}\n"]
    for heading, body in parts:
        out += [f".SH {heading}\n", body]
    return "".join(out)


def _see_also(*pages):
    return "SEE ALSO", ",\n".join(f".BR {_escaped(page)} ({section})" for page, section in pages) + "\n"


def _command_page(command, date):
    parts = []
    if "" in command.words:
        parts.append(("DESCRIPTION", _verbatim(command.words[""])))
    else:
        lines = "\n.br\n".join(f"\\fBlianban {_escaped(command.name)} {_escaped(word)}\\fR [options]"
                               for word in command.words)
        parts.append(("SYNOPSIS", lines + "\n"))
        body = "".join(f".SS {_escaped(word)}\n{_verbatim(text)}" for word, text in command.words.items())
        parts.append(("COMMANDS", body))
    return _page("lianban-" + command.name, 1, command.summary, date, parts + [_see_also(("lianban", 1))])


def _server_pages(role, program, sample, date):
    text = _said(program, "--help")
    name = "lianban-" + role
    summary = text.splitlines()[0].split(": ", 1)[1]
    head, keys = text.split("configuration keys of every node", 1)
    keys, tail = keys.split("\nexample: ", 1)
    files = ((f"/etc/lianban/{role}/node.yaml", "the configuration"),
             (f"/etc/lianban/{role}/", "keys and certificates, readable by the service's account"),
             (f"/var/lib/lianban/{role}/", "state and evidence"))
    server = _page(name, 8, summary, date, [
        ("DESCRIPTION", _verbatim(head)),
        ("SIGNALS", "SIGTERM and SIGINT end it cleanly: calls in flight have a few seconds. Configuration that may\n"
                    "change while it runs (certificates, CRL, directory, keys in folders) is read once a second.\n"),
        ("SERVICE", f"\\fBsystemctl start {_escaped(name)}\\-init\\fR begins the evidence log, once in a\n"
                    "node's life; it ends when\n"
                    f"\\fBsystemctl enable \\-\\-now {_escaped(name)}\\fR takes over, which is what runs ever after.\n"
                    "The service manager is told when it serves, and while the log and every thread that\n"
                    "answers calls get on; if they do not for a minute, it is started anew.\n"),
        ("EXAMPLE", _verbatim(tail)),
        ("FILES", "".join(f".TP\n{_escaped(path)}\n{what}\n" for path, what in files)),
        _see_also((name + ".yaml", 5), ("lianban", 1)),
    ])
    with open(sample, encoding="utf-8") as file:
        example = file.read()
    config = _page(name + ".yaml", 5, f"configuration of {name}", date, [
        ("DESCRIPTION", "YAML; a key that is not known is refused with its line. Configuration keys of every node"
                        + _verbatim(keys).replace(".nf\n", "", 1).replace("\n", "\n.nf\n", 1)),
        ("EXAMPLE", _verbatim(example)),
        _see_also((name, 8), ("lianban", 1)),
    ])
    return {f"man8/{name}.8": server, f"man5/{name}.yaml.5": config}


def write_server_pages(role, program, sample, into, date):
    """Sections 8 and 5 of one server, under share/man."""
    _write(_server_pages(role, program, sample, date), into)


def write_command_pages(program, into, date):
    """Section 1: `lianban` and each of its commands."""
    commands = commands_of(program)
    pages = {"man1/lianban.1": _page(
        "lianban", 1, "one form filled from many departments", date,
        [("DESCRIPTION", _verbatim(_said(program, "--help"))),
         _see_also(*[("lianban-" + command.name, 1) for command in commands])])}
    for command in commands:
        pages[f"man1/lianban-{command.name}.1"] = _command_page(command, date)
    _write(pages, into)


def _write(pages, into):
    for name, text in pages.items():
        path = os.path.join(into, name + ".gz")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
            file.write(text.encode())


# --- completion ---

_SCRIPT = """# bash completion of lianban; made from what `lianban --help` says.
_lianban() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}} word=${{COMP_WORDS[2]}} words= further= options=
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W '{commands}' -- "$cur"))
        return
    fi
    case $command in
{words}
    esac
    if [ "$COMP_CWORD" = 2 ] && [ -n "$words" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        return
    fi
    case "$command $word" in
{further}
    esac
    if [ "$COMP_CWORD" = 3 ] && [ -n "$further" ]; then
        COMPREPLY=($(compgen -W "$further" -- "$cur"))
        return
    fi
    case $command${{words:+ $word}}${{further:+ ${{COMP_WORDS[3]}}}} in
{options}
    esac
    case $cur in
    -*) COMPREPLY=($(compgen -W "$options --help --json" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
}}
complete -o filenames -F _lianban lianban
"""


def completion(program):
    """The script for bash."""
    commands = commands_of(program)
    words, further, options = [], [], []
    for command in commands:
        if "" not in command.words:
            first = dict.fromkeys(word.split()[0] for word in command.words)
            words.append(f"    {command.name}) words='{' '.join(first)}' ;;")
            for word in first:
                second = [name.split()[1] for name in command.words if name.startswith(word + " ")]
                if second:
                    further.append(f"    '{command.name} {word}') further='{' '.join(second)}' ;;")
        for word, text in command.words.items():
            name = f"{command.name} {word}".strip()
            known = [option for option in options_of(text) if option not in ("--help", "--json")]
            options.append(f"    '{name}') options='{' '.join(known)}' ;;")
    return _SCRIPT.format(commands=" ".join(command.name for command in commands), words="\n".join(words),
                          further="\n".join(further), options="\n".join(options))
