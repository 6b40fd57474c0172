package org.notifypr;

import com.sun.jna.Pointer;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/**
 * A report: settings, a summary and attachments. One thread at a time may use it, except that any
 * thread may {@link #cancel} and {@link #close} it; it is submitted once.
 *
 * <pre>{@code
 * try (Report report = new Report().load(Path.of("notify_pr.ini")).set("commit", sha)) {
 *     Receipt receipt = report.attach(Path.of("MarvinLogs")).submit();
 * }
 * }</pre>
 *
 * <p>Every method throws {@link NotifyPrException} if the library refuses, and {@link
 * IllegalStateException} if the report is closed. The first use of the class throws {@link
 * UnsatisfiedLinkError} if the library cannot be found.
 */
public final class Report implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final LibNotifyPr lib = LibraryLoader.Loaded.LIBRARY;
    private final Pointer handle;
    private final Cleaner.Cleanable freeing;
    private final ReentrantLock inUse = new ReentrantLock();
    private volatile boolean closed;
    private volatile boolean cancelled;

    /** Makes an empty report, in which every setting has its default. */
    public Report() {
        LibNotifyPr lib = this.lib;
        Pointer handle = lib.npr_report_new();
        this.handle = handle;
        // It must not hold the report itself, or it would never run.
        this.freeing = CLEANER.register(this, () -> lib.npr_report_free(handle));
    }

    /** Returns the version of the library that is running, such as "0.1.0". */
    public static String libraryVersion() {
        return LibraryLoader.Loaded.LIBRARY.npr_version();
    }

    /** Returns the names of all settings. */
    public static List<String> settingNames() {
        List<String> names = new ArrayList<>();
        String name;
        while (!(name = LibraryLoader.Loaded.LIBRARY.npr_setting_name(names.size())).isEmpty()) {
            names.add(name);
        }
        return List.copyOf(names);
    }

    /** Returns one line that says what a setting is, and "" if there is none of this name. */
    public static String settingHelp(String name) {
        return LibraryLoader.Loaded.LIBRARY.npr_setting_help(Bytes.text(name, "the name"));
    }

    /**
     * Reads settings from an INI file. What {@link #set} set stays, in whatever order they are
     * called. If a line is wrong, nothing of the file counts, and the error names file and line.
     */
    public Report load(Path ini) {
        byte[] path = Bytes.path(ini);
        return call(report -> lib.npr_report_load_ini(report, path));
    }

    /**
     * Reads settings from the environment: variables {@code NOTIFY_PR_*}, other programs' variables
     * such as {@code GITHUB_TOKEN}, what the CI server says, and the git checkout in the working
     * directory. What {@link #set} set stays.
     */
    public Report loadEnvironment() {
        return call(lib::npr_report_load_environment);
    }

    /**
     * Takes along what was set aside in a folder, with {@code submit = collect}: all of it is
     * submitted with this report, as one, and removed when it was delivered. What is known to be of
     * another commit or build stays there, with a warning.
     */
    public Report loadSpool(Path folder) {
        byte[] path = Bytes.path(folder);
        return call(report -> lib.npr_report_load_spool(report, path));
    }

    /** Sets a setting; the name is the same as in the INI file, and stronger than all files. */
    public Report set(String name, String value) {
        byte[] nameText = Bytes.text(name, "the name of a setting");
        byte[] valueText = Bytes.text(value, "the value of " + name);
        return call(report -> lib.npr_report_set(report, nameText, valueText));
    }

    /**
     * Sets a row of the table in the comment, as in the section {@code [details]} of an INI file;
     * an empty value takes it away. It is the setting {@code details.NAME}.
     */
    public Report detail(String name, String value) {
        return set("details." + Objects.requireNonNull(name, "the name of a detail"), value);
    }

    /**
     * Returns the value of a setting that is in force: set, loaded, or the default; "" if there is
     * none. A secret is masked.
     */
    public String get(String name) {
        byte[] text = Bytes.text(name, "the name of a setting");
        return use(() -> {
            String value = lib.npr_report_get(handle, text);
            // "" may be a value and may be a failure; only its name tells.
            if (value.isEmpty() && lib.npr_setting_help(text).isEmpty()) {
                throw new NotifyPrException(Status.BAD_SETTING, lib.npr_report_error(handle));
            }
            return value;
        });
    }

    /** Sets the summary, in Markdown: what readers see first. */
    public Report summary(String markdown) {
        byte[] text = Bytes.text(markdown, "the summary");
        return call(report -> lib.npr_report_set_summary(report, text));
    }

    /**
     * Adds a file, or a directory with everything in it, to what will be uploaded. It is read
     * during {@link #submit()}; if it is not there then, the comment names it as missing.
     */
    public Report attach(Path path) {
        byte[] bytes = Bytes.path(path);
        return call(report -> lib.npr_report_attach(report, bytes));
    }

    /** Adds bytes to what will be uploaded, under a name that may hold slashes. */
    public Report attach(String name, byte[] data) {
        byte[] text = Bytes.text(name, "the name of an attachment");
        // JNA has no pointer to an array without elements.
        byte[] bytes = data.length == 0 ? null : data;
        return call(report -> lib.npr_report_attach_bytes(report, text, bytes, data.length));
    }

    /**
     * Says that this part of a run begins, where the setting {@code submit} is {@code collect}: if
     * the process dies before {@link #submit()}, the later submission of all parts shows this one
     * as one that did not finish, with the files that are attached by now. It may be called again
     * when more is attached. Where {@code submit} is {@code now}, it does nothing.
     */
    public Report begin() {
        return call(lib::npr_report_begin);
    }

    /** Submits the report without listening; see {@link #submit(ProgressListener)}. */
    public Receipt submit() {
        return submit(progress -> {});
    }

    /**
     * Submits the report: uploads the files, finds the pull request and leaves the comment. An
     * interrupt of this thread cancels it and stays set; so does {@link #cancel}, from any thread.
     * It then ends within a second, except that the lookup of a host name is waited for.
     *
     * @param listener sees how far it is; what it throws cancels the submission and is rethrown;
     *     a {@link NotifyPrException} with the receipt is among its suppressed exceptions, with
     *     {@link Status#OK} if the cancel came too late
     * @return what was done
     * @throws NotifyPrException with the receipt, if not everything that was asked for was done
     */
    public Receipt submit(ProgressListener listener) {
        Objects.requireNonNull(listener, "listener");
        return use(() -> {
            Watch watch = new Watch(listener);
            check(lib.npr_report_on_progress(handle, watch, null));
            Pointer[] slot = new Pointer[1];
            int status;
            String message;
            try {
                status = lib.npr_report_submit(handle, slot);
                message = status == 0 ? "" : error(status);
            } finally {
                // C holds only the address of the callback: to Java it would look unused.
                Reference.reachabilityFence(watch);
                lib.npr_report_on_progress(handle, null, null);
            }
            Receipt receipt = null;
            if (slot[0] != null) {
                try {
                    receipt = Receipt.of(lib, slot[0]);
                } finally {
                    lib.npr_receipt_free(slot[0]);
                }
            }
            NotifyPrException failure =
                    status == 0 ? null : new NotifyPrException(status, message, receipt);
            if (watch.thrown != null) {
                // So the receipt is not lost, even if the cancel came too late.
                watch.thrown.addSuppressed(failure != null ? failure : new NotifyPrException(
                        status, "the report was submitted before it could be cancelled", receipt));
                throw Report.<RuntimeException>unchecked(watch.thrown);
            }
            if (failure != null) {
                throw failure;
            }
            return receipt;
        });
    }

    /** Cancels the submission, the one under way or the one to come. Any thread may call it. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Frees the report. During a submission it cancels it, and the report is freed when that has
     * ended. A second call does nothing.
     */
    @Override
    public void close() {
        closed = true;
        freeIfClosed();
    }

    /** What C calls. An exception must not go into C, which would go on as if nothing had been. */
    private final class Watch implements LibNotifyPr.OnProgress {
        private final ProgressListener listener;
        private Throwable thrown;

        Watch(ProgressListener listener) {
            this.listener = listener;
        }

        @Override
        public int invoke(Pointer progress, Pointer userData) {
            try {
                listener.onProgress(new Progress(
                        Stage.of(progress.getInt(0)),
                        progress.getLong(8),
                        progress.getLong(16),
                        progress.getLong(24),
                        progress.getLong(32)));
            } catch (Throwable throwable) {
                thrown = throwable;
                return 1;
            }
            return cancelled || closed || Thread.currentThread().isInterrupted() ? 1 : 0;
        }
    }

    private Report call(ToIntFunction<Pointer> function) {
        return use(() -> {
            check(function.applyAsInt(handle));
            return this;
        });
    }

    /** Does something with the handle while nobody frees it. */
    private <T> T use(Supplier<T> body) {
        if (!inUse.tryLock()) {
            throw new NotifyPrException(
                    Status.MISUSE, "another thread is using the report: give each thread its own");
        }
        try {
            if (closed) {
                throw new IllegalStateException("the report is closed");
            }
            return body.get();
        } finally {
            inUse.unlock();
            freeIfClosed();
            Reference.reachabilityFence(this);
        }
    }

    /** Whoever comes last frees: the one that closes, or the one that was using the report. */
    private void freeIfClosed() {
        if (closed && inUse.tryLock()) {
            try {
                // More than once is the listener, in the middle of a submission.
                if (inUse.getHoldCount() == 1) {
                    freeing.clean();
                }
            } finally {
                inUse.unlock();
            }
        }
    }

    private void check(int status) {
        if (status != 0) {
            throw new NotifyPrException(status, error(status), null);
        }
    }

    private String error(int status) {
        String error = lib.npr_report_error(handle);
        return error.isEmpty() ? lib.npr_status_text(status) : error;
    }

    /** A listener in another language may throw what Java would have it declare. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E unchecked(Throwable throwable) throws E {
        throw (E) throwable;
    }
}
