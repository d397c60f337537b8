"""Rules every C target of the project uses, so that one list of flags holds everywhere."""

STRICT = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wmissing-prototypes",
    "-Wstrict-prototypes",
    "-Wundef",
    "-Wvla",
    "-Wformat=2",
    "-Werror",
    "-fno-common",
    "-fPIE",
]

def lb_library(name, srcs = [], hdrs = [], deps = [], visibility = None, copts = [], **kwargs):
    """A C library: one header and its source, or a few that share one idea."""
    native.cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        deps = deps,
        copts = STRICT + copts,
        linkstatic = True,
        visibility = visibility,
        **kwargs
    )

# Nobody waits for a test's own code, but everybody for its compiler.
QUICK = ["-O0", "-U_FORTIFY_SOURCE"]

def lb_test(name, srcs, deps = [], size = "small", copts = [], **kwargs):
    """A cmocka test program; it stands next to the code it tests."""
    native.cc_test(
        name = name,
        srcs = srcs,
        deps = deps + ["//:cmocka"],
        size = size,
        copts = STRICT + QUICK + copts,
        linkstatic = True,
        **kwargs
    )

def lb_binary(name, srcs, deps = [], visibility = None, **kwargs):
    """A program of the product."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        deps = deps,
        copts = STRICT,
        linkstatic = True,
        visibility = visibility,
        **kwargs
    )

def lb_fuzz(name, srcs, targets, deps, **kwargs):
    """Fuzz targets that share a file (tests/fuzz/fuzz.h), each also a program `<target>_fuzz`.

    The programs are libFuzzer's and need --config=fuzz; `./run fuzz` builds them. Everybody else
    meets the targets through the library, which the regression test runs over the corpus.
    """
    lb_library(
        name = name,
        testonly = True,
        srcs = srcs,
        visibility = ["//tests/fuzz:__pkg__"],
        deps = deps + ["//tests/fuzz"],
        **kwargs
    )
    for target in targets:
        native.cc_binary(
            name = target + "_fuzz",
            testonly = True,
            srcs = ["//tests/fuzz:main.c"],
            copts = STRICT + ["-DFUZZ_ENTRY=fuzz_" + target],
            linkopts = ["-fsanitize=fuzzer"],
            linkstatic = True,
            tags = ["manual", "fuzz"],
            deps = [":" + name, "//tests/fuzz"],
        )

def lb_proto(name, src, deps = [], visibility = None):
    """The protobuf-c code of one .proto file under proto/; includes are rooted there too."""
    base = src[:-len(".proto")]
    native.filegroup(
        name = name + "_file",
        srcs = [src] + [d + "_file" for d in deps],
    )
    native.genrule(
        name = name + "_gen",
        srcs = [name + "_file"],
        outs = [base + ".pb-c.c", base + ".pb-c.h"],
        cmd = "protoc-c --proto_path=proto --c_out=$(GENDIR)/proto proto/" + src,
    )
    native.cc_library(
        name = name,
        srcs = [base + ".pb-c.c"],
        hdrs = [base + ".pb-c.h"],
        copts = ["-std=c11", "-w"],
        includes = ["."],
        deps = deps + ["//:protobuf_c"],
        linkstatic = True,
        visibility = visibility,
    )
