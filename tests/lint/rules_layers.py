"""Who may include what: foreign headers in their own folder, our own ones from the left only."""

import re

# A foreign library and the folders that may see it. What is in neither list is refused.
FOREIGN = {
    r"openssl/": ("gateway/crypto",),
    r"sodium": ("gateway/crypto",),
    r"sqlite3\.h": ("gateway/store",),
    r"yaml\.h": ("gateway/config",),
    r"jansson\.h": ("gateway/json",),
    r"jwt\.h": ("gateway/token",),
    r"zlib\.h": ("gateway/token",),
    r"postgresql/": ("adapters/postgres",),
    r"sql(ext)?\.h": ("adapters/odbc",),
    r"grpc/": ("gateway/rpc", "bench"),
    r"microhttpd\.h": ("gateway/http",),
    r"protobuf-c/": ("gateway/wire",),
}
SYSTEM = re.compile(
    r"(assert|ctype|dirent|errno|fcntl|float|ftw|getopt|glob|grp|inttypes|limits|locale|malloc|math|netdb|poll"
    r"|pthread|pwd|sched|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef"
    r"|stdint|stdio|stdlib|stdnoreturn|string|strings|termios|time|uchar|unistd|wchar"
    r"|arpa/inet|linux/\w+|net/if|netinet/\w+|sys/\w+)\.h"
)
GENERATED = re.compile(r"(lianban/(v\d+|schema)|grpc/(health|reflection)/v1|google/rpc|google/protobuf)/\w+\.pb-c\.h")


def foreign_headers(tree, build):
    """One foreign library, one folder; cmocka in tests only."""
    for source in tree.c():
        for line, name, is_system in source.includes:
            if name == "cmocka.h":
                if build.is_product(source.path):
                    yield source.path, line, "cmocka.h belongs to tests, and this is the product"
                continue
            folders = next((folders for pattern, folders in FOREIGN.items()
                            if re.match(pattern, name) and not GENERATED.fullmatch(name)), None)
            if folders and not any((source.folder + "/").startswith(f + "/") for f in folders):
                yield source.path, line, "%s belongs to %s" % (name, " and ".join(folders))
            if is_system and not folders and not SYSTEM.fullmatch(name):
                yield source.path, line, "%s is no header of a library we have" % name


def layers(tree, build):
    """A file includes what stands to its left in the root BUILD, and its own folder."""
    for source in tree.c():
        column = build.column(source.folder)
        if column is None:
            yield source.path, 1, "%s is in no layer of the root BUILD" % source.folder
            continue
        for line, name, is_system in source.includes:
            if is_system or (GENERATED.fullmatch(name) and column > 0):
                continue
            problem = _refusal(tree, build, source, column, name)
            if problem:
                yield source.path, line, problem


def _refusal(tree, build, source, column, name):
    """Why a file may not include a header, or None."""
    if name.endswith(".c"):
        return "a source is not included; test it through its header"
    header = tree.by_path.get(name)
    if header is None:
        return "there is no %s (includes are rooted at the repository)" % name
    if header.folder == source.folder:
        return None
    if not build.is_product(source.path) and build.is_fixture(name):
        return None
    owners = build.owners(name, "hdrs")
    if not owners:
        return "%s is private to %s" % (name, header.folder)
    allowed = [build.visible_from(owner) for owner in owners]
    allowed = [lowest for lowest in allowed if lowest is not None]
    if allowed and column >= min(allowed):
        return None
    theirs = build.column(header.folder)
    if theirs == column:
        return "%s is a sibling; the two share what stands to their left" % header.folder
    return "%s is not to the left of %s" % (header.folder, source.folder)


def visibility(tree, build):
    """A package is visible to the columns right of its own, and to no more; allow.txt names the
    targets that may be seen by more."""
    del tree
    for target in build.targets:
        own = build.column(target.package)
        if own is None or target.package == "":
            continue
        lowest = build.visible_from(target)
        if lowest is None or target.is_test or target.kind.endswith("_binary"):
            continue
        if lowest <= own:
            line = build.lines[(target.package, target.name)]
            yield (target.package + "/BUILD", line,
                   "%s is visible to its siblings or to what stands left of it" % target.name)
