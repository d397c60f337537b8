package window;

import com.google.protobuf.InvalidProtocolBufferException;
import google.rpc.StatusOuterClass;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import lianban.v1.Error.ErrorDetail;
import lianban.v1.WindowGrpc;
import lianban.v1.WindowGrpc.WindowBlockingStub;

/**
 * The window agent over gRPC on a loopback port. Every call carries the window system's secret, because any
 * account of the machine could connect to the port.
 */
final class Agent implements AutoCloseable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final long CALL_SECONDS = 40; // the agent itself asks the consent office
    private static final long COLLECT_SECONDS = 90;

    private final ManagedChannel channel;
    private final WindowBlockingStub stub;

    Agent(InetSocketAddress address, Path secretFile) throws IOException {
        Metadata headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + readSecret(secretFile));
        channel = NettyChannelBuilder.forAddress(address).usePlaintext().build();
        stub = WindowGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** The stub for one call with one answer; a deadline belongs to a call, not to the channel. */
    WindowBlockingStub calls() {
        return stub.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
    }

    /** The stub for Collect, which lasts until every department has answered or the deadline is over. */
    WindowBlockingStub collects() {
        return stub.withDeadlineAfter(COLLECT_SECONDS, TimeUnit.SECONDS);
    }

    /** Runs a call and turns gRPC's failure into ours, with the federation's own code. */
    static <T> T ask(Supplier<T> call) throws Refused {
        try {
            return call.get();
        } catch (StatusRuntimeException failure) {
            throw Refused.of(failure);
        }
    }

    /** {@link Iterator#hasNext} of a stream, where its failure shows. */
    static boolean more(Iterator<?> stream) throws Refused {
        return ask(stream::hasNext);
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    private static String readSecret(Path file) throws IOException {
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        mode.removeAll(Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
        if (!mode.isEmpty()) {
            throw new IOException(file + " is open to others; chmod 600 it");
        }
        return Files.readString(file).strip();
    }

    /**
     * The agent said no, or could not be reached. The code is what a program acts on; after {@code waitMillis} another
     * try is worth it, 0 when that was not said.
     */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        final String code;
        final long waitMillis;

        private Refused(String code, String text, long waitMillis, Throwable cause) {
            super(code + ": " + text, cause);
            this.code = code;
            this.waitMillis = waitMillis;
        }

        private static Refused of(StatusRuntimeException failure) {
            Metadata trailers = failure.getTrailers();
            byte[] details = trailers == null ? null : trailers.get(DETAILS);
            if (details != null) {
                try {
                    ErrorDetail detail = ErrorDetail.parseFrom(
                            StatusOuterClass.Status.parseFrom(details).getDetails(0).getValue());
                    return new Refused(detail.getCode(),
                            detail.getTextZh() + " " + detail.getTextEn(),
                            Integer.toUnsignedLong(detail.getRetryAfterMs()), failure);
                } catch (InvalidProtocolBufferException | IndexOutOfBoundsException notOurs) {
                    failure.addSuppressed(notOurs);
                }
            }
            // No detail: the agent was not reached, or something between cut the call.
            return new Refused(failure.getStatus().getCode().name(),
                    String.valueOf(failure.getStatus().getDescription()), 0, failure);
        }
    }
}
