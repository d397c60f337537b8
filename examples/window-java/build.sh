#!/bin/bash
# Compiles this window with Debian's JDK and grpc-java: build.sh OUT_FOLDER
#   apt-get install default-jdk-headless libgrpc-java libnetty-java libprotobuf-java libgoogle-gson-java \
#       libgeronimo-annotation-1.3-spec-java libperfmark-java \
#       protobuf-compiler protobuf-compiler-grpc-java-plugin
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 OUT_FOLDER" >&2; exit 2; }
here=$(dirname "$(readlink -f "$0")")
proto=$here/../../proto
mkdir -p "$1/generated" "$1/classes"

classpath=
for jar in grpc-api grpc-core grpc-context grpc-netty grpc-protobuf grpc-protobuf-lite grpc-stub guava \
    protobuf protobuf-util gson netty-common netty-buffer netty-codec netty-codec-http netty-codec-http2 \
    netty-handler netty-resolver netty-transport perfmark-api geronimo-annotation-1.3-spec; do
    classpath=$classpath:/usr/share/java/$jar.jar
done

protoc -I "$proto" --java_out="$1/generated" --grpc-java_out="$1/generated" \
    --plugin=protoc-gen-grpc-java=/usr/bin/grpc_java_plugin \
    lianban/v1/{window,consent,error}.proto google/rpc/status.proto google/protobuf/any.proto
find "$1/generated" "$here/src" -name '*.java' -print0 |
    xargs -0 javac -nowarn -proc:none -encoding UTF-8 -d "$1/classes" -cp "${classpath#:}"

# Starts quickly rather than running fast: a window waits for departments, not for its compiler.
cat >"$1/window" <<END
#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dfile.encoding=UTF-8 \\
    -cp "$(readlink -f "$1")/classes$classpath" window.Window "\$@"
END
chmod 755 "$1/window"
