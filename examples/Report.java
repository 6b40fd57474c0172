/*
 * Reports a run from Java: settings from an INI file, the commit, and what to attach.
 *
 *     java -cp notify_pr.jar:jna.jar Report.java notify_pr.ini \
 *         3357460473a4ea60d338dd5f03d231294ba79f89 MarvinLogs
 */

import java.nio.file.Path;
import org.notifypr.NotifyPrException;
import org.notifypr.Progress;
import org.notifypr.Receipt;
import org.notifypr.Stage;
import org.notifypr.Status;

final class ReportExample {
    /** Shows how far the upload is. */
    static void show(Progress progress) {
        if (progress.stage() == Stage.UPLOAD) {
            System.err.println(progress.filesDone() + " of " + progress.files() + " files");
        }
    }

    static void print(Receipt receipt) {
        System.out.println("comment: " + receipt.commentUrl().orElse(""));
        System.out.println("files:   " + receipt.pageUrl().orElse(""));
        for (Receipt.Missing missing : receipt.missing()) {
            System.out.println("missing: " + missing.name() + ": " + missing.reason());
        }
    }

    public static void main(String[] args) {
        if (args.length < 2) {
            System.err.println("usage: Report INI COMMIT [FILE...]");
            System.exit(Status.BAD_SETTING.number());
        }
        try (var report = new org.notifypr.Report()) {
            report.load(Path.of(args[0])).set("commit", args[1]);
            for (int i = 2; i < args.length; i++) {
                report.attach(Path.of(args[i]));
            }
            print(report.submit(ReportExample::show));
        } catch (NotifyPrException failure) {
            failure.receipt().ifPresent(ReportExample::print);
            System.err.println("report: " + failure.getMessage());
            System.exit(failure.number());
        }
    }
}
