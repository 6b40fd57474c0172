package org.notifypr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ReportTest {
    @TempDir
    Path folder;

    @Test
    void aReportLeavesACommentAndAReceiptTellsAll() throws IOException {
        Files.writeString(Files.createDirectories(folder.resolve("logs")).resolve("results.txt"), "ok\n");
        Set<Stage> stages = EnumSet.noneOf(Stage.class);
        try (Lab lab = new Lab(folder);
                Report report = new Report().load(lab.ini).summary("farbe-ä 🎨")) {
            report.attach(folder.resolve("logs")).attach("naïve.txt", new byte[] {65, 0, 66});
            report.attach("empty.txt", new byte[0]);
            Receipt receipt = report.submit(progress -> stages.add(progress.stage()));
            assertEquals(42, receipt.pullNumber().orElseThrow());
            assertTrue(receipt.commentUrl().orElseThrow().contains("#issuecomment-"));
            assertTrue(receipt.commentText().orElseThrow().contains("farbe-ä 🎨"));
            assertTrue(receipt.expires().isPresent() && receipt.pageUrl().isPresent());
            assertTrue(receipt.json().startsWith("{") && receipt.json().contains("\"schema\""));
            List<String> names = receipt.files().stream().map(Receipt.StoredFile::name).sorted().toList();
            assertEquals(3, names.size(), names.toString());
            assertTrue(names.contains("naïve.txt") && receipt.files().get(0).url().isPresent());
            assertEquals(List.of(), receipt.missing());
            assertTrue(lab.comments().contains("farbe-ä 🎨"), lab.comments());
            assertFalse(stages.isEmpty());
            assertEquals(Status.MISUSE, assertThrows(NotifyPrException.class, report::submit).status());
        }
    }

    @Test
    void whatIsMissingIsAnExceptionWithTheReceipt() throws IOException {
        try (Lab lab = new Lab(folder);
                Report report = new Report().load(lab.ini).attach(folder.resolve("gone"))) {
            NotifyPrException failure = assertThrows(NotifyPrException.class, report::submit);
            assertEquals(Status.STORE_PARTIAL, failure.status());
            Receipt receipt = failure.receipt().orElseThrow();
            assertEquals("gone", receipt.missing().get(0).name());
            assertTrue(receipt.commentUrl().isPresent());
        }
    }

    private Report part(Path spool, String name) {
        return new Report().set("submit", "collect").set("spool_dir", spool.toString())
                .set("part", name).attach("words.txt", new byte[] {65}).begin();
    }

    @Test
    void partsThatAreSetAsideAreSubmittedLaterAsOne() throws IOException {
        Path spool = folder.resolve("spool");
        try (Report one = part(spool, "one")) {
            assertTrue(one.set("counts", "passed=2").submit().commentUrl().isEmpty());
        }
        part(spool, "two").close();
        try (Lab lab = new Lab(folder); Report all = new Report().load(lab.ini).loadSpool(spool)) {
            String comment = all.submit().commentText().orElseThrow();
            assertTrue(comment.contains("| one | ✅ Passed | 2 |"), comment);
            assertTrue(comment.contains("| two | ⏹️ Did not finish |"), comment);
        }
    }

    @Test
    void detailsAreRowsOfTheComment() throws IOException {
        try (Lab lab = new Lab(folder); Report report = new Report().load(lab.ini)) {
            report.detail("Hypervisor", "KVM").detail("Zone", "a").detail("Größe", "L");
            report.detail("Zone", "").set("dry_run", "true");
            assertEquals("KVM", report.get("details.Hypervisor"));
            assertEquals("", report.get("details.Zone"));
            String text = report.submit().commentText().orElseThrow();
            assertTrue(text.contains("| Hypervisor | KVM |\n| Größe | L |\n"), text);
        }
        try (Report report = new Report()) {
            var wrong = assertThrows(NotifyPrException.class, () -> report.detail(" ", "x"));
            assertEquals(Status.BAD_SETTING, wrong.status());
        }
    }

    @Test
    void errorsSayWhatWasWrongAndWhere() throws IOException {
        Path ini = Files.writeString(folder.resolve("ä.ini"), "owner = apache\nno_such = 1\n");
        try (Report report = new Report()) {
            var wrong = assertThrows(NotifyPrException.class, () -> report.load(ini));
            assertEquals(Status.BAD_SETTING, wrong.status());
            assertTrue(wrong.getMessage().contains("ä.ini:2"), wrong.getMessage());
            assertTrue(wrong.receipt().isEmpty());
            var unknown = assertThrows(NotifyPrException.class, () -> report.get("no_such"));
            assertEquals(Status.BAD_SETTING, unknown.status());
            var gone = assertThrows(NotifyPrException.class, () -> report.load(folder.resolve("no.ini")));
            assertEquals(Status.BAD_FILE, gone.status());
            for (String text : List.of("a\0b", "\ud83c")) {
                var bad = assertThrows(NotifyPrException.class, () -> report.set("title", text));
                assertEquals(Status.BAD_TEXT, bad.status());
            }
            report.set("title", "grün").set("token", "ghx-secret");
            assertEquals("grün", report.get("title"));
            assertEquals("", report.get("owner"));
            assertFalse(report.get("token").contains("secret"));
        }
    }

    @Test
    void settingsCanBeListed() {
        assertTrue(Report.settingNames().containsAll(List.of("token", "commit", "context")));
        assertFalse(Report.settingHelp("commit").isEmpty());
        assertEquals("", Report.settingHelp("no_such"));
        assertTrue(Report.libraryVersion().matches("\\d+\\.\\d+\\.\\d+.*"));
    }

    @Test
    void anInterruptCancelsAndStaysSet() throws IOException {
        try (Lab lab = new Lab(folder); Report report = new Report().load(lab.ini)) {
            lab.stall();
            Thread submitting = Thread.currentThread();
            var failure = assertThrows(NotifyPrException.class, () -> report.submit(progress -> {
                if (progress.stage() == Stage.FIND) {
                    new Thread(submitting::interrupt).start();
                }
            }));
            assertTrue(Thread.interrupted());
            assertEquals(Status.CANCELLED, failure.status());
            assertTrue(failure.receipt().isPresent());
        }
    }

    @Test
    void anotherThreadCancelsAndIsKeptFromUsingTheReport() throws Exception {
        try (Lab lab = new Lab(folder); Report report = new Report().load(lab.ini)) {
            lab.stall();
            NotifyPrException[] seen = new NotifyPrException[1];
            Thread other = new Thread(() -> {
                seen[0] = assertThrows(NotifyPrException.class, () -> report.set("title", "x"));
                report.cancel();
            });
            var failure = assertThrows(NotifyPrException.class, () -> report.submit(progress -> {
                if (other.getState() == Thread.State.NEW) {
                    other.start();
                }
            }));
            other.join();
            assertEquals(Status.CANCELLED, failure.status());
            assertEquals(Status.MISUSE, seen[0].status());
        }
    }

    @Test
    void whatAListenerThrowsCancelsAndIsRethrown() throws IOException {
        try (Lab lab = new Lab(folder); Report report = new Report().load(lab.ini)) {
            lab.stall();
            var thrown = new IllegalArgumentException("from the listener");
            int[] calls = new int[1];
            var seen = assertThrows(IllegalArgumentException.class, () -> report.submit(progress -> {
                calls[0]++;
                throw thrown;
            }));
            assertSame(thrown, seen);
            assertEquals(1, calls[0]);
            var failure = (NotifyPrException) seen.getSuppressed()[0];
            assertEquals(Status.CANCELLED, failure.status());
            assertTrue(failure.receipt().isPresent());
        }
    }

    @Test
    void aReportInItsOwnListenerIsMisuse() throws IOException {
        try (Lab lab = new Lab(folder); Report report = new Report().load(lab.ini)) {
            lab.stall();
            var failure = assertThrows(NotifyPrException.class,
                    () -> report.submit(progress -> report.set("title", "x")));
            assertEquals(Status.MISUSE, failure.status());
        }
    }

    @Test
    void aClosedReportIsRefused() {
        Report report = new Report();
        report.close();
        report.close();
        assertThrows(IllegalStateException.class, () -> report.set("title", "x"));
        assertThrows(IllegalStateException.class, report::submit);
        assertThrows(IllegalStateException.class, () -> report.get("title"));
    }

    @Test
    void closingDuringASubmissionCancelsItAndFreesAfterwards() throws IOException {
        try (Lab lab = new Lab(folder)) {
            lab.stall();
            Report report = new Report().load(lab.ini);
            var failure = assertThrows(NotifyPrException.class,
                    () -> report.submit(progress -> report.close()));
            assertEquals(Status.CANCELLED, failure.status());
            assertThrows(IllegalStateException.class, () -> report.get("title"));
        }
    }

    @Test
    void pathsAreTheBytesOfTheOperatingSystem() {
        assertEquals("logs/a b%20c.txt", path(Path.of("logs/a b%20c.txt")));
        assertEquals(".", path(Path.of("")));
        assertEquals("/", path(Path.of("/")));
        assertEquals("../x", path(Path.of("../x")));
        assertEquals(folder.toString(), path(folder));
    }

    private static String path(Path path) {
        byte[] bytes = Bytes.path(path);
        assertEquals(0, bytes[bytes.length - 1]);
        return new String(bytes, 0, bytes.length - 1, StandardCharsets.UTF_8);
    }
}
