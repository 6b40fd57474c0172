package org.notifypr.junit;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;

/** How the tests of a run ended. Tests may run at the same time, so every method is synchronized. */
final class Tally {
    /** So many failures are named in the summary; the file has more. */
    private static final int NAMED = 20;
    /** So long may the message of a failure be in the summary. */
    private static final int LONGEST = 200;
    /** So much of the stack traces is kept, in characters. */
    private static final int KEPT = 4 << 20;

    private record Failure(String test, String message) {}

    private final List<Failure> failures = new ArrayList<>();
    private final StringBuilder traces = new StringBuilder();
    private long passed;
    private long failed;
    private long errors;
    private long skipped;

    synchronized void passed() {
        passed++;
    }

    synchronized void skipped(long tests) {
        skipped += tests;
    }

    /** What is no assertion broke before it could check anything, as surefire counts it. */
    synchronized void failed(String test, Throwable cause) {
        if (cause instanceof AssertionError) {
            failed++;
        } else {
            errors++;
        }
        if (failures.size() < NAMED) {
            failures.add(new Failure(test, text(cause)));
        }
        if (traces.length() < KEPT) {
            String text = trace(cause);
            int room = KEPT - traces.length();
            traces.append(test).append('\n').append(text, 0, Math.min(text.length(), room)).append('\n');
        }
    }

    /** The counts as the setting {@code counts} takes them. */
    synchronized String counts() {
        return "passed=" + passed + ", failed=" + failed + ", errors=" + errors + ", skipped="
                + skipped;
    }

    /** The first failures in Markdown, and "" if there are none. */
    synchronized String summary() {
        StringBuilder summary = new StringBuilder();
        for (Failure failure : failures) {
            summary.append("- ").append(code(failure.test())).append(": ")
                    .append(code(failure.message())).append('\n');
        }
        long others = failed + errors - failures.size();
        if (others > 0) {
            summary.append("- and ").append(others).append(" more\n");
        }
        return summary.toString();
    }

    /** The stack traces, and "" if no test failed. */
    synchronized String traces() {
        return traces.toString();
    }

    /** What a test threw may be made so that it has no text. */
    private static String text(Throwable cause) {
        try {
            return String.valueOf(cause);
        } catch (RuntimeException failure) {
            return cause.getClass().getName();
        }
    }

    private static String trace(Throwable cause) {
        StringWriter trace = new StringWriter();
        try {
            if (cause != null) {
                cause.printStackTrace(new PrintWriter(trace));
            }
        } catch (RuntimeException failure) {
            trace.append(cause.getClass().getName());
        }
        return trace.toString();
    }

    /** A line that Markdown leaves as it is. */
    private static String code(String text) {
        String line = text.strip().replaceAll("\\s+", " ").replace('`', '\'');
        int end = Math.min(line.length(), LONGEST);
        // Half a character would be none.
        if (end < line.length() && Character.isLowSurrogate(line.charAt(end))) {
            end--;
        }
        return "`" + line.substring(0, end) + (end < line.length() ? "…" : "") + "`";
    }
}
