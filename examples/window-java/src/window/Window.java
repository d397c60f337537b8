package window;

import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import lianban.v1.WindowOuterClass.CaseEvent;
import lianban.v1.WindowOuterClass.CaseFact;
import lianban.v1.WindowOuterClass.CaseRequest;
import lianban.v1.WindowOuterClass.CaseResult;
import lianban.v1.WindowOuterClass.GetNoticeRequest;
import lianban.v1.WindowOuterClass.MemberTicket;
import lianban.v1.WindowOuterClass.OpenCaseRequest;
import lianban.v1.WindowOuterClass.Reason;
import lianban.v1.WindowOuterClass.RequestGrantsResponse;

/**
 * A window system in Java: takes households' applications to the window agent beside it.
 *
 * <p>A household file: {"members": [{"role": "applicant", "id_no": "...", "name": "..."}, ...]}. Exit status: 0
 * every case came to a suggestion (MANUAL is one), 1 something was refused, 2 wrong usage.
 */
public final class Window {
    private static final String USAGE =
            "usage: window --agent HOST:PORT --secret FILE [--tickets FILE] [--wait SECONDS] HOUSEHOLD.json...";
    // Who serves the citizen; a real window has them from the login.
    private static final String FORM = "social-assistance", BADGE = "W-0017", UNIT = "street-office-01";
    // The citizens are on their way to the desk, or something passes by itself.
    private static final Set<String> WORTH_WAITING =
            Set.of("GRANT_PENDING", "BUSY", "UNAVAILABLE", "STOPPING", "DEADLINE");
    private static final long MOMENT_MILLIS = 200;
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final PrintStream SAY = new PrintStream(System.err, true, StandardCharsets.UTF_8);

    private final Agent agent;
    private final Options options;

    private Window(Agent agent, Options options) {
        this.agent = agent;
        this.options = options;
    }

    public static void main(String[] arguments) throws Exception {
        Options options = Options.parse(arguments);
        if (options == null) {
            SAY.println(USAGE);
            System.exit(2);
        }
        try (Agent agent = new Agent(options.agent, options.secret)) {
            Window window = new Window(agent, options);
            for (Path household : options.households) {
                CaseResult result = window.serve(household);
                OUT.printf("{\"household\": \"%s\", \"class\": \"%s\", \"receipts_checked\": %d, "
                        + "\"receipts_failed\": %d}%n", household, result.getClassId(),
                        result.getReceiptsChecked(), result.getReceiptsFailed());
            }
        } catch (Agent.Refused | IOException problem) {
            SAY.println("window: " + problem.getMessage());
            System.exit(1);
        }
    }

    /** One application, from the counter to the suggestion. */
    private CaseResult serve(Path household) throws Agent.Refused, IOException, InterruptedException {
        CaseRequest aCase = open(household);
        try {
            sendToDesk(aCase, household);
            CaseResult result = collect(aCase);
            show(result);
            return result;
        } finally {
            // Erases identities, grants and facts at the agent.
            Agent.ask(() -> agent.calls().closeCase(aCase));
        }
    }

    /** Starts a case and shows the citizens what they will be asked to agree to. */
    private CaseRequest open(Path household) throws Agent.Refused, IOException {
        OpenCaseRequest.Builder request = OpenCaseRequest.newBuilder();
        JsonFormat.parser().merge(Files.readString(household), request);
        request.setForm(FORM).setOperatorBadge(BADGE).setOperatorUnit(UNIT);
        String caseId = Agent.ask(() -> agent.calls().openCase(request.build())).getCaseId();
        String notice = Agent.ask(() -> agent.calls().getNotice(
                GetNoticeRequest.newBuilder().setCaseId(caseId).setLanguage("zh").build())).getText();
        SAY.println(notice.lines().findFirst().orElse(""));
        return CaseRequest.newBuilder().setCaseId(caseId).build();
    }

    /** Every citizen gets a number; at the consent desk they show their document and decide. */
    private void sendToDesk(CaseRequest aCase, Path household) throws Agent.Refused, IOException {
        RequestGrantsResponse answer = Agent.ask(() -> agent.calls().requestGrants(aCase));
        for (MemberTicket ticket : answer.getTicketsList()) {
            SAY.printf("  member %d: code %s (%s)%n", ticket.getMember(), ticket.getCode(),
                    ticket.getRequestId());
        }
        if (options.tickets != null) {
            String tickets = JsonFormat.printer().omittingInsignificantWhitespace()
                    .includingDefaultValueFields().preservingProtoFieldNames().print(answer);
            Files.writeString(options.tickets, "{\"household\": \"" + household + "\", "
                    + tickets.substring(1) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    /** Asks the departments once every grant is there. Asked again, it completes what is missing. */
    private CaseResult collect(CaseRequest aCase) throws Agent.Refused, InterruptedException {
        Instant until = Instant.now().plus(options.patience);
        CaseResult result = null;
        while (result == null) {
            try {
                Iterator<CaseEvent> events = agent.collects().collect(aCase);
                while (Agent.more(events)) { // to its end: until then the case can't be closed
                    CaseEvent event = events.next();
                    if (event.hasFact()) {
                        show(event.getFact());
                    }
                    result = event.hasResult() ? event.getResult() : null;
                }
            } catch (Agent.Refused refused) {
                if (!WORTH_WAITING.contains(refused.code) || Instant.now().isAfter(until)) {
                    throw refused;
                }
                Thread.sleep(pause(refused));
            }
        }
        return result;
    }

    /** As long as was said, or a moment, and up to half as much again: not all windows at the same instant. */
    private static long pause(Agent.Refused refused) {
        if (refused.waitMillis > 0) {
            SAY.println("  " + refused.getMessage());
        }
        long least = refused.waitMillis > 0 ? refused.waitMillis : MOMENT_MILLIS;
        return least + ThreadLocalRandom.current().nextLong(least / 2 + 1);
    }

    /** A fact with its source. What the form does not display comes without a value. */
    private static void show(CaseFact fact) {
        String value = !fact.getState().equals("ok") ? fact.getState() + " " + fact.getCode()
                : fact.getShown().isEmpty() ? "(used, not shown)" : fact.getShown();
        SAY.printf("  %d %-20s %-18s %s%n", fact.getMember(), fact.getDepartment(), fact.getFact(), value);
    }

    /** The suggestion with its reasons. MANUAL is no failure: a person decides, and sees what is missing. */
    private static void show(CaseResult result) {
        SAY.printf("suggested: %s %s %s%n", result.getClassId(), result.getClassZh(), result.getClassEn());
        for (Reason reason : result.getReasonsList()) {
            SAY.printf("  %-8s %s (%s)%n", reason.getTruth(), reason.getTextZh(), reason.getSource());
        }
        for (CaseFact fact : result.getMissingList()) {
            SAY.printf("  missing: member %d, %s %s: %s%n", fact.getMember(), fact.getDepartment(),
                    fact.getFact(), fact.getState());
        }
        if (result.getReceiptsFailed() > 0) {
            SAY.printf("  %d receipts do not hold: tell the security officer%n", result.getReceiptsFailed());
        }
    }

    private record Options(InetSocketAddress agent, Path secret, Path tickets, Duration patience,
            List<Path> households) {
        /** Null when the arguments make no sense. */
        static Options parse(String[] arguments) {
            String agent = null, secret = null, tickets = null, wait = "120";
            List<Path> households = new ArrayList<>();
            for (int i = 0; i < arguments.length; i++) {
                String argument = arguments[i], value = i + 1 < arguments.length ? arguments[i + 1] : null;
                switch (argument) {
                    case "--agent" -> agent = value;
                    case "--secret" -> secret = value;
                    case "--tickets" -> tickets = value;
                    case "--wait" -> wait = value;
                    default -> households.add(Path.of(argument));
                }
                i += argument.startsWith("--") ? 1 : 0;
            }
            if (agent == null || secret == null || wait == null || households.isEmpty()
                    || !agent.matches("127\\.0\\.0\\.1:\\d{1,5}") || !wait.matches("\\d{1,6}")) {
                return null;
            }
            int port = Integer.parseInt(agent.substring(agent.indexOf(':') + 1));
            return new Options(new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                    Path.of(secret), tickets == null ? null : Path.of(tickets),
                    Duration.ofSeconds(Long.parseLong(wait)), households);
        }
    }
}
