package org.notifypr.junit;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.platform.engine.ConfigurationParameters;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.notifypr.NotifyPrException;
import org.notifypr.Receipt;
import org.notifypr.Report;

/**
 * Reports a run of the JUnit platform, which finds this class by itself on the class path. It does
 * nothing unless an INI file is named by {@code notifypr.config} or {@code NOTIFY_PR_CONFIG}, or a
 * folder by {@code notifypr.spool_dir} or {@code NOTIFY_PR_SPOOL_DIR}. Names with {@code notifypr.}
 * are system properties or configuration parameters of JUnit; every setting may be given so.
 *
 * <p>The report is set aside in {@code spool_dir}, and whoever holds the credentials submits all
 * parts afterwards with {@code notify_pr --spool}. Tests are code of the pull request's author and
 * can read what this process can read: {@code notifypr.submit=now}, or {@code NOTIFY_PR_SUBMIT},
 * gives them the token.
 *
 * <p>It never changes the result of the tests. What became of the report is one line on standard
 * error.
 */
public final class ReportingListener implements TestExecutionListener {
    private TestPlan plan;
    private Tally tally;
    private Report report;

    /** Is called by the JUnit platform. */
    public ReportingListener() {}

    @Override
    public synchronized void testPlanExecutionStarted(TestPlan plan) {
        this.plan = plan;
        this.tally = null;
        if (isOn(plan.getConfigurationParameters()) && plan.containsTests()) {
            this.tally = new Tally();
            attempt(() -> begin(plan));
        }
    }

    @Override
    public void executionSkipped(TestIdentifier identifier, String reason) {
        Tally tally = tally();
        if (tally != null) {
            long inside = plan().getDescendants(identifier).stream()
                    .filter(TestIdentifier::isTest)
                    .count();
            tally.skipped(inside + (identifier.isTest() ? 1 : 0));
        }
    }

    @Override
    public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
        Tally tally = tally();
        if (tally == null) {
            return;
        }
        switch (result.getStatus()) {
            case SUCCESSFUL -> {
                if (identifier.isTest()) {
                    tally.passed();
                }
            }
            case ABORTED -> tally.skipped(identifier.isTest() ? 1 : 0);
            // A class whose setup failed is a failure too, and nothing else would tell of it.
            case FAILED -> tally.failed(name(identifier), result.getThrowable().orElse(null));
            default -> { }
        }
    }

    @Override
    public synchronized void testPlanExecutionFinished(TestPlan plan) {
        Report begun = report;
        if (begun != null) {
            report = null;
            attempt(() -> {
                try (begun) {
                    say(submit(begun));
                }
            });
        }
    }

    /** Makes the report; if the tests end this process, the part is known as one that began. */
    private void begin(TestPlan plan) {
        ConfigurationParameters parameters = plan.getConfigurationParameters();
        Report made = new Report();
        try {
            value(parameters, "config").ifPresent(ini -> made.load(Path.of(ini)));
            made.loadEnvironment();
            // A shell's part is not this one.
            made.set("begun", "");
            for (String name : Report.settingNames()) {
                parameters.get("notifypr." + name).ifPresent(value -> made.set(name, value));
            }
            if (made.get("part").isEmpty()) {
                made.set("part", part(plan));
            }
            // The INI has no say in it: it is the one of the later submission, too.
            made.set("submit", value(parameters, "submit").orElse("collect"));
            report = made.begin();
        } finally {
            if (report != made) {
                made.close();
            }
        }
    }

    private String submit(Report report) {
        report.set("counts", tally.counts());
        String summary = tally.summary();
        if (!summary.isEmpty()) {
            report.summary(summary);
            report.attach("failures.txt", tally.traces().getBytes(StandardCharsets.UTF_8));
        }
        Receipt receipt = report.submit();
        return report.get("submit").equals("collect")
                ? "set aside in " + report.get("spool_dir") + " (" + tally.counts() + ")"
                : receipt.commentUrl().orElse("no comment was asked for");
    }

    /** Whatever fails here is a line, and not the result of the tests. */
    private static void attempt(Runnable step) {
        try {
            step.run();
        } catch (NotifyPrException failure) {
            say("status " + failure.number() + ": " + failure.getMessage());
        } catch (RuntimeException | LinkageError failure) {
            say("nothing is reported: " + failure);
        }
    }

    private static void say(String line) {
        System.err.println("notify_pr: " + line.strip().replaceAll("\\s+", " "));
    }

    /** The class, if there is only one; else the folder that the tests run in. */
    private static String part(TestPlan plan) {
        Set<String> classes = new TreeSet<>();
        for (TestIdentifier root : plan.getRoots()) {
            for (TestIdentifier each : plan.getDescendants(root)) {
                each.getSource()
                        .filter(source -> source instanceof ClassSource)
                        .ifPresent(source -> classes.add(((ClassSource) source).getClassName()));
            }
        }
        if (classes.size() == 1) {
            return classes.iterator().next();
        }
        Path folder = Path.of("").toAbsolutePath().getFileName();
        return folder == null ? "tests" : folder.toString();
    }

    private String name(TestIdentifier identifier) {
        StringBuilder name = new StringBuilder(identifier.getDisplayName());
        // The root is the engine, whose name nobody looks for.
        Optional<TestIdentifier> parent = plan().getParent(identifier);
        while (parent.isPresent() && parent.get().getParentId().isPresent()) {
            name.insert(0, parent.get().getDisplayName() + " > ");
            parent = plan().getParent(parent.get());
        }
        return name.toString();
    }

    private static boolean isOn(ConfigurationParameters parameters) {
        return value(parameters, "config").isPresent() || value(parameters, "spool_dir").isPresent();
    }

    private static Optional<String> value(ConfigurationParameters parameters, String name) {
        return parameters.get("notifypr." + name)
                .or(() -> Optional.ofNullable(
                        System.getenv("NOTIFY_PR_" + name.toUpperCase(Locale.ROOT))))
                .filter(value -> !value.isBlank());
    }

    private synchronized Tally tally() {
        return tally;
    }

    private synchronized TestPlan plan() {
        return plan;
    }
}
