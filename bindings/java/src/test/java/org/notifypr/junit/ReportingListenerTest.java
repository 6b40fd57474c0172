package org.notifypr.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

class ReportingListenerTest {
    @TempDir
    Path folder;

    /** Surefire runs no nested classes by themselves. */
    static class Mixed {
        @Test
        void passes() {}

        @Test
        void fails() {
            Assertions.fail("the volume `vol-1` is gone");
        }

        @Test
        void breaks() {
            throw new IllegalStateException("no host");
        }

        @Test
        @Disabled("not today")
        void isSkipped() {}

        @Test
        void isAborted() {
            Assumptions.abort("not here");
        }
    }

    static class Broken {
        @BeforeAll
        static void setUp() {
            throw new IllegalStateException("no zone");
        }

        @Test
        void neverRuns() {}
    }

    /** Tests that are known only when they run, side by side. */
    static class Dynamic {
        @TestFactory
        Stream<DynamicNode> many() {
            return IntStream.range(0, 40).mapToObj(number -> DynamicContainer.dynamicContainer(
                    "group " + number,
                    Stream.of("passes", "fails", "breaks", "aborts")
                            .map(name -> DynamicTest.dynamicTest(name, () -> end(name)))));
        }

        private static void end(String name) {
            switch (name) {
                case "fails" -> Assertions.fail("no volume");
                case "breaks" -> throw new IllegalStateException("no host");
                case "aborts" -> Assumptions.abort("not here");
                default -> { }
            }
        }

        @RepeatedTest(10)
        void repeats() {}

        @Nested
        class Inner {
            @Test
            void fails() {
                Assertions.fail("inside");
            }
        }
    }

    /** Looks what would be there if it were killed. */
    static class Looks {
        private static Path spool;
        private static List<String> seen;

        @Test
        void looks() throws IOException {
            try (Stream<Path> parts = Files.list(spool)) {
                seen = parts.map(part -> part.getFileName().toString()).toList();
            }
        }
    }

    /** Throws what has no text. */
    static class Mute {
        private static final class Failure extends RuntimeException {
            private static final long serialVersionUID = 1;

            @Override
            public String getMessage() {
                throw new IllegalStateException("nothing to say");
            }
        }

        @Test
        void breaks() {
            throw new Failure();
        }
    }

    @Disabled("none of it")
    static class Off {
        @Test
        void one() {}

        @Test
        void two() {}
    }

    private record Ran(long failures, String said) {}

    private Ran run(Map<String, String> parameters, Class<?>... classes) {
        return run(parameters, List.of(), classes);
    }

    private Ran run(
            Map<String, String> parameters, List<TestExecutionListener> more, Class<?>... classes) {
        var summary = new SummaryGeneratingListener();
        var builder = LauncherDiscoveryRequestBuilder.request();
        for (Class<?> each : classes) {
            builder.selectors(selectClass(each));
        }
        var said = new ByteArrayOutputStream();
        PrintStream before = System.err;
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            // The ServiceLoader finds the listener.
            var listeners = new ArrayList<TestExecutionListener>(more);
            listeners.add(summary);
            LauncherFactory.create().execute(
                    builder.configurationParameters(parameters).build(),
                    listeners.toArray(TestExecutionListener[]::new));
        } finally {
            System.setErr(before);
        }
        return new Ran(summary.getSummary().getTestsFailedCount(), said.toString(StandardCharsets.UTF_8));
    }

    private String spooled(Path spool) throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.walk(spool)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                all.append(Files.readString(file));
            }
        }
        return all.toString();
    }

    @Test
    void aRunIsSetAsideWithItsCountsAndFailures() throws IOException {
        Path spool = folder.resolve("spool");
        Ran ran = run(Map.of("notifypr.spool_dir", spool.toString()), Mixed.class);
        assertEquals(2, ran.failures());
        assertEquals(1, ran.said().lines().count(), ran.said());
        assertTrue(ran.said().contains("set aside in " + spool), ran.said());
        String all = spooled(spool);
        for (String text : List.of("passed=1, failed=1, errors=1, skipped=2", "vol-1", "no host",
                Mixed.class.getName(), "failures.txt")) {
            assertTrue(all.contains(text), text + " is not in " + all);
        }
        try (Stream<Path> parts = Files.list(spool)) {
            assertEquals(1, parts.filter(part -> !part.getFileName().toString().startsWith(".")).count());
        }
    }

    @Test
    void aClassThatBreaksIsAnErrorAndOneThatIsOffIsSkipped() throws IOException {
        Path spool = folder.resolve("spool");
        run(Map.of("notifypr.spool_dir", spool.toString()), Broken.class, Off.class);
        String all = spooled(spool);
        assertTrue(all.contains("passed=0, failed=0, errors=1, skipped=2"), all);
        assertTrue(all.contains("no zone"), all);
    }

    @Test
    void testsThatRunSideBySideAndAreMadeAsTheyRunAreAllCounted() throws IOException {
        Path spool = folder.resolve("spool");
        Ran ran = run(Map.of(
                "notifypr.spool_dir", spool.toString(),
                "junit.jupiter.execution.parallel.enabled", "true",
                "junit.jupiter.execution.parallel.mode.default", "concurrent",
                "junit.jupiter.execution.parallel.mode.classes.default", "concurrent"),
                Dynamic.class, Mixed.class);
        assertEquals(83, ran.failures());
        assertEquals(1, ran.said().lines().count(), ran.said());
        String all = spooled(spool);
        assertTrue(all.contains("passed=51, failed=42, errors=41, skipped=42"), all);
        assertTrue(all.contains("- and 63 more"), all);
        assertTrue(all.contains("many() > group 7 > breaks"), all);
        assertTrue(all.contains("Inner > fails()"), all);
    }

    @Test
    void aRunThatIsKilledIsKnownAsOneThatBegan() throws IOException {
        Looks.spool = folder.resolve("spool");
        run(Map.of("notifypr.spool_dir", Looks.spool.toString()), Looks.class);
        assertTrue(Looks.seen.stream().anyMatch(part -> part.endsWith(".begun")), Looks.seen.toString());
        assertFalse(spooled(Looks.spool).isEmpty());
        try (Stream<Path> parts = Files.list(Looks.spool)) {
            assertTrue(parts.noneMatch(part -> part.toString().endsWith(".begun")));
        }
    }

    @Test
    void whatHasNoTextIsCountedAndNamed() throws IOException {
        Path spool = folder.resolve("spool");
        Ran ran = run(Map.of("notifypr.spool_dir", spool.toString()), Mute.class);
        assertEquals(1, ran.failures());
        assertEquals(1, ran.said().lines().count(), ran.said());
        String all = spooled(spool);
        assertTrue(all.contains("passed=0, failed=0, errors=1, skipped=0"), all);
        assertTrue(all.contains(": `" + Mute.Failure.class.getName()), all);
    }

    @Test
    void nothingHappensUnasked() {
        assertEquals("", run(Map.of(), Mixed.class).said());
    }

    @Test
    void troubleIsALineAndNeverTheResultOfTheTests() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        Ran ran = run(Map.of("notifypr.spool_dir", file.resolve("x").toString()), Mixed.class);
        assertEquals(2, ran.failures());
        assertEquals(1, ran.said().lines().count(), ran.said());
        assertTrue(ran.said().startsWith("notify_pr: status 11: "), ran.said());
        ran = run(Map.of("notifypr.config", folder.resolve("no.ini").toString()), Mixed.class);
        assertTrue(ran.said().startsWith("notify_pr: status 10: "), ran.said());
    }

    /** A class loader with a package of ours for itself, in a world without JNA. */
    private static final class WithoutJna extends URLClassLoader {
        WithoutJna() {
            super(new URL[] {
                ReportingListener.class.getProtectionDomain().getCodeSource().getLocation()
            }, ReportingListener.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("com.sun.jna.")) {
                throw new ClassNotFoundException(name);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded != null || !name.startsWith("org.notifypr.")
                    ? super.loadClass(name, resolve)
                    : findClass(name);
        }
    }

    @Test
    void withoutJnaThereIsALineAndTheTestsGoOn() throws Exception {
        try (var loader = new WithoutJna()) {
            var listener = (TestExecutionListener) loader
                    .loadClass(ReportingListener.class.getName()).getConstructor().newInstance();
            assertEquals("", run(Map.of(), List.of(listener), Mixed.class).said());
            Path spool = folder.resolve("spool");
            Ran ran = run(Map.of("notifypr.spool_dir", spool.toString()), List.of(listener), Mixed.class);
            assertEquals(2, ran.failures());
            assertTrue(ran.said().contains("notify_pr: nothing is reported: "), ran.said());
            assertTrue(ran.said().contains("com/sun/jna/"), ran.said());
        }
    }

    @Test
    void anIniCannotMakeATestRunSubmit() throws IOException {
        Path spool = folder.resolve("spool");
        Path ini = Files.writeString(folder.resolve("run.ini"),
                "submit = now\napi_url = http://127.0.0.1:9\nspool_dir = " + spool + "\n");
        Ran ran = run(Map.of("notifypr.config", ini.toString()), Mixed.class);
        assertTrue(ran.said().contains("set aside in"), ran.said());
        assertFalse(spooled(spool).contains("127.0.0.1"));
        ran = run(Map.of("notifypr.config", ini.toString(), "notifypr.submit", "now"), Mixed.class);
        assertTrue(ran.said().startsWith("notify_pr: status 3: "), ran.said());
    }
}
