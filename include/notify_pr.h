/*
 * notify_pr.h - reports the results of independent CI runs on the GitHub pull request that was
 * tested.
 *
 * A report is settings, a summary and attachments. Submitting it uploads the attachments, finds
 * the pull request that the tested commit belongs to, and leaves one comment there, which is
 * renewed by the next report of the same context. What was done comes back as a receipt.
 *
 * A complete program; build it with: cc program.c $(pkg-config --cflags --libs notify_pr)
 *
 *     #include <notify_pr.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         npr_report *report = npr_report_new();
 *         npr_receipt *receipt = NULL;
 *         npr_status status = npr_report_load_ini(report, "notify_pr.ini");
 *
 *         if (status == NPR_OK && argc > 1)
 *             status = npr_report_set(report, "commit", argv[1]);
 *         if (status == NPR_OK)
 *             status = npr_report_attach(report, "MarvinLogs");
 *         if (status == NPR_OK)
 *             status = npr_report_submit(report, &receipt);
 *         if (status != NPR_OK)
 *             fprintf(stderr, "%s: %s\n", npr_status_text(status), npr_report_error(report));
 *         printf("%s\n", npr_receipt_comment_url(receipt));
 *         npr_receipt_free(receipt);
 *         npr_report_free(report);
 *         return status;
 *     }
 *
 * Memory
 *     You free two things: a report with npr_report_free(), a receipt with npr_receipt_free().
 *     Every other pointer that you are given belongs to one of them, or is static, and you must
 *     not free it. Whatever you hand over is copied, so it may go as soon as the call returns.
 *     A receipt outlives its report.
 *
 * Text
 *     Texts are UTF-8 and end with NUL, whatever the locale. Those you are given are never NULL:
 *     what does not exist is "". Paths are bytes on Unix, as the operating system has them, and
 *     UTF-8 elsewhere.
 *
 * Errors
 *     A function that can fail returns an npr_status: 0 is success. npr_report_error() says what
 *     was wrong in this case, where, and what to do; npr_status_text() says what a number means.
 *     NULL for a report is NPR_NULL_ARGUMENT, NULL for a receipt is an empty receipt, and calls in
 *     the wrong order are NPR_MISUSE. A bug in the library is NPR_INTERNAL: it never ends your
 *     process.
 *
 * Threads and processes
 *     One thread at a time may use a report; a call that comes while another one is using it does
 *     nothing and returns NPR_MISUSE. Different reports have nothing in common. A const pointer may
 *     be used by many threads at once, except that npr_report_error() counts as a use of the
 *     report. npr_report_submit() starts threads and ends them before it returns. The library
 *     keeps no state of its own, so it may be loaded twice and used in the child after fork(), but
 *     a child must leave alone the reports that another thread of its parent was using.
 *     It touches no signal, no locale, no log and no descriptor of yours. Only
 *     npr_report_load_environment() takes settings from the environment; but where the system's
 *     certificates are (SSL_CERT_FILE, SSL_CERT_DIR) and what the runtime is told by variables
 *     named RUST_ counts at any time, so no thread may change the environment during a submit.
 *
 * What does not stand in this file is not part of the interface. See ABI.md for what will stay as
 * it is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */


#ifndef NOTIFY_PR_H
#define NOTIFY_PR_H

/* Made from src/capi by tests/header.rs: do not edit. */

#include <stddef.h>
#include <stdint.h>

/* ----------------------------------------------------------------------------------------------
 * Numbers and types
 * ---------------------------------------------------------------------------------------------- */

/** The version of this header; npr_version() is that of the library that runs. */
#define NPR_VERSION_MAJOR 0
#define NPR_VERSION_MINOR 1
#define NPR_VERSION_PATCH 0

/**
 * The version of the binary interface. A program that was compiled with one number runs with
 * every library whose npr_abi_version() returns the same number; it is also the number in the
 * name libnotify_pr.so.N.
 */
#define NPR_ABI_VERSION 0

/**
 * How a call ended. The numbers are grouped by whose turn it is to act, are never given another
 * meaning, and are also the exit statuses of the notify_pr command. Later versions may add
 * numbers.
 */
typedef enum {
    /** Everything that was asked for was done. */
    NPR_OK = 0,
    /** An argument that may not be NULL was NULL. */
    NPR_NULL_ARGUMENT = 1,
    /** A text was not valid UTF-8. */
    NPR_BAD_TEXT = 2,
    /** A setting is unknown, missing or impossible. */
    NPR_BAD_SETTING = 3,
    /** A call came in the wrong order, such as a second submit. */
    NPR_MISUSE = 4,
    /** A file that the submission cannot do without could not be read. */
    NPR_BAD_FILE = 10,
    /** The local disk could not be written. */
    NPR_DISK = 11,
    /** What was to be published held one of our own secrets, so nothing was. */
    NPR_SECRET_FOUND = 12,
    /** The store could not be reached. */
    NPR_STORE_UNREACHABLE = 20,
    /** The store refused: credentials, rights, or a container that does not exist. */
    NPR_STORE_REFUSED = 21,
    /** Some of what was to be stored was not stored; the comment was made all the same. */
    NPR_STORE_PARTIAL = 22,
    /** GitHub could not be reached. */
    NPR_GITHUB_UNREACHABLE = 30,
    /** GitHub refused: token, rights, a locked pull request or an archived repository. */
    NPR_GITHUB_REFUSED = 31,
    /** GitHub asked to wait for longer than the budget of time allows. */
    NPR_GITHUB_BUSY = 32,
    /** No pull request belongs to the commit. */
    NPR_NO_PULL_REQUEST = 33,
    /** More than one commit or pull request fits. */
    NPR_AMBIGUOUS = 34,
    /** A setting such as on_closed forbids the comment. */
    NPR_REFUSED_BY_POLICY = 35,
    /** The progress callback cancelled the submission. */
    NPR_CANCELLED = 40,
    /** The report was set aside for a later submission. */
    NPR_QUEUED = 41,
    /** A budget of time ran out. */
    NPR_TIMEOUT = 42,
    /** A bug in notify_pr. The report may still be freed, and other reports go on. */
    NPR_INTERNAL = 50,
} npr_status;

/** The steps that a report takes, in their order. */
typedef enum {
    /** Which files become which objects of the store. */
    NPR_STAGE_PLAN = 1,
    /** Which pull request the commit belongs to. */
    NPR_STAGE_FIND = 2,
    /** The files go to the store. */
    NPR_STAGE_UPLOAD = 3,
    /** The comment is written. */
    NPR_STAGE_COMPOSE = 4,
    /** The pages that lead to the files go to the store. */
    NPR_STAGE_PUBLISH = 5,
    /** The comment goes to the pull request. */
    NPR_STAGE_POST = 6,
} npr_stage;

/**
 * What became of a report. It is made by npr_report_submit(), freed by npr_receipt_free(), and
 * never changes: any number of threads may read it at the same time.
 */
typedef struct npr_receipt npr_receipt;

/**
 * A report: settings, a summary and attachments. It is made by npr_report_new() and freed by
 * npr_report_free(). One thread at a time may use it.
 */
typedef struct npr_report npr_report;

/** How far a submission is. Later versions may add fields at the end. */
typedef struct {
    /** The stage that is under way. */
    npr_stage stage;
    /** How many files are stored or given up. */
    uint64_t files_done;
    /** How many files there are to store; 0 until the plan is made. */
    uint64_t files;
    /** How many bytes were sent. */
    uint64_t bytes_done;
    /** How many bytes there are to send; 0 until the plan is made. */
    uint64_t bytes;
} npr_progress;

/**
 * A function of yours that sees how far a submission is, and can stop it. It returns 0 to go on,
 * and anything else to cancel. The progress belongs to the library and ends with the call;
 * user_data is what you gave to npr_report_on_progress(). It must return: no longjmp() and no
 * C++ exception may leave it.
 */
typedef int (*npr_on_progress)(const npr_progress *progress, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ----------------------------------------------------------------------------------------------
 * The library
 * ---------------------------------------------------------------------------------------------- */

/**
 * Returns the version of the library that is running, such as "0.1.0". Compare it with the
 * NPR_VERSION_ macros to see which one you compiled with. The text is static.
 */
const char *npr_version(void);

/**
 * Returns the version of the binary interface of the library that is running. If it is not
 * NPR_ABI_VERSION, call nothing else but npr_version(): the library does not fit the header.
 */
int npr_abi_version(void);

/**
 * Returns one line that says what a status means, without the particulars of a case; those are
 * in npr_report_error(). Any number may be asked for. The text is static.
 */
const char *npr_status_text(int status);

/**
 * Returns the name of the setting with this index, and "" past the last one, so that all
 * settings can be listed without knowing their number. The text is static.
 */
const char *npr_setting_name(size_t index);

/**
 * Returns one line that says what a setting is, also for a row "details.NAME", and "" if there is
 * no setting of this name or name is NULL. The text is static.
 */
const char *npr_setting_help(const char *name);

/* ----------------------------------------------------------------------------------------------
 * A report: make it, load it, fill it, submit it
 * ---------------------------------------------------------------------------------------------- */

/**
 * Makes an empty report, in which every setting has its default. It reads no file and no
 * environment. You free it with npr_report_free(). It never returns NULL; if memory runs out, the
 * process ends.
 */
npr_report *npr_report_new(void);

/**
 * Frees a report and every text that npr_report_get() and npr_report_error() returned for it. It
 * may be freed without having been submitted, and before or after its receipt. NULL is allowed
 * and does nothing. A report that is being submitted, as in its own progress callback, is not
 * freed.
 */
void npr_report_free(npr_report *report);

/**
 * Reads settings from an INI file. What npr_report_set() set stays, in whatever order they are
 * called. Relative paths in the file begin at the working directory. If a line is wrong, nothing
 * of the file counts, and the error names file and line.
 */
npr_status npr_report_load_ini(npr_report *report, const char *path);

/**
 * Reads settings from the environment: variables NOTIFY_PR_*, other programs' variables such as
 * GITHUB_TOKEN, what the CI server says, and the git checkout in the working directory. What
 * npr_report_set() set stays. As with getenv(), no thread may change the environment at the same
 * time.
 */
npr_status npr_report_load_environment(npr_report *report);

/**
 * Takes along what was set aside in a folder, with submit = collect: npr_report_submit() submits
 * all of it with this report, as one, and removes it when it was delivered. What is known to be of
 * another commit or build stays there, with a warning. The folder is the one that spool_dir named
 * when the parts were set aside.
 */
npr_status npr_report_load_spool(npr_report *report, const char *path);

/**
 * Sets a setting. Its name is the same as in the INI file; this value is stronger than those of
 * all files and variables. An empty value switches a setting off that can do without a value. The
 * name "details.NAME" is the row NAME of the table in the comment, as in the section details of
 * an INI file: "details.Hypervisor". The texts are copied.
 */
npr_status npr_report_set(npr_report *report, const char *name, const char *value);

/**
 * Returns the value of a setting that is in force: set, loaded, or the default. A secret, and the
 * password in an address, are masked. It returns "" if there is no value, and also on failure:
 * then npr_report_error() says why. The text belongs to the report and is valid until the next
 * call of npr_report_get() on it.
 */
const char *npr_report_get(npr_report *report, const char *name);

/**
 * Sets the summary, in Markdown: what readers see first. It is used instead of the setting
 * summary_file. The text is copied.
 */
npr_status npr_report_set_summary(npr_report *report, const char *markdown);

/**
 * Adds a file, or a directory with everything in it, to what will be uploaded. It is read during
 * npr_report_submit() and not before; if it is not there then, the comment names it as missing.
 */
npr_status npr_report_attach(npr_report *report, const char *path);

/**
 * Adds bytes to what will be uploaded, under a name that may hold slashes. The bytes are copied;
 * data may be NULL if size is 0.
 */
npr_status npr_report_attach_bytes(npr_report *report,
                                   const char *name,
                                   const void *data,
                                   size_t size);

/**
 * Says that this part of a run begins, where the setting submit is collect: if the process dies
 * before npr_report_submit(), the later submission of all parts shows this one as one that did not
 * finish, with the files that are attached by now. It may be called again when more is attached.
 * Where submit is now, it does nothing. The setting begun has the id of the part then; a report of
 * another process that is given the same value ends this part.
 */
npr_status npr_report_begin(npr_report *report);

/**
 * Sets the function that is told how far the submission is. It is called during
 * npr_report_submit(), on the same thread: first before anything is sent or stored, then at least
 * every 200 milliseconds in every stage, also while the network stalls. When it cancels, the
 * submission ends within a second, with NPR_CANCELLED unless all was done already, and the function
 * is not called again; only the lookup of a host name is waited for. NULL takes the function away,
 * and user_data may be NULL. In the function, calls on the same report do nothing: those that
 * return a status return NPR_MISUSE.
 */
npr_status npr_report_on_progress(npr_report *report, npr_on_progress on_progress, void *user_data);

/**
 * Submits the report: uploads the files, finds the pull request and leaves the comment. It
 * returns when all is done and every thread it needed has ended. A report is submitted once.
 *
 * The receipt says what was done. It is set on failure too, because files may have been uploaded
 * by then; *receipt is NULL only if report is NULL or in use. You free it with
 * npr_receipt_free(). If you do not want it, pass NULL for receipt.
 *
 * Where no comment could be made, the text is kept in the folder that the setting outbox_dir
 * names. NPR_STORE_PARTIAL means that the comment was made and names what is missing.
 *
 * With the setting submit = collect, the report is set aside in the folder that spool_dir names
 * instead, without network and credentials: that done, the status is NPR_OK.
 */
npr_status npr_report_submit(npr_report *report, npr_receipt **receipt);

/**
 * Returns what went wrong in the last call on this report that failed: what, where, and what can
 * be done. It is "" if none failed, and holds no secrets; a call that succeeds leaves it as it is.
 * The text belongs to the report and is valid until the next call on it.
 */
const char *npr_report_error(const npr_report *report);

/* ----------------------------------------------------------------------------------------------
 * The receipt: what was done
 * ---------------------------------------------------------------------------------------------- */

/** Frees a receipt and every text that belongs to it. NULL is allowed and does nothing. */
void npr_receipt_free(npr_receipt *receipt);

/**
 * Returns the number of the pull request, and 0 if none was found. If the commit belongs to
 * several, this and the next two functions speak of the first; npr_receipt_json() has all.
 */
uint64_t npr_receipt_pull_number(const npr_receipt *receipt);

/** Returns the address of the comment, and "" if there is none. */
const char *npr_receipt_comment_url(const npr_receipt *receipt);

/**
 * Returns the comment as it was composed, in Markdown, also if it could not be posted; "" if the
 * submission did not come that far.
 */
const char *npr_receipt_comment_text(const npr_receipt *receipt);

/** Returns the address of the page that lists the files, and "" if there is none. */
const char *npr_receipt_page_url(const npr_receipt *receipt);

/**
 * Returns until when the links open, as RFC 3339 in UTC, such as "2026-07-08T09:10:11Z"; "" if
 * there are no links.
 */
const char *npr_receipt_expires(const npr_receipt *receipt);

/** Returns how many files are in the store. */
size_t npr_receipt_file_count(const npr_receipt *receipt);

/** Returns the name of a stored file, as readers see it, and "" past the last one. */
const char *npr_receipt_file_name(const npr_receipt *receipt, size_t index);

/**
 * Returns the address of a stored file, and "" if the public has no way to it or past the last
 * one.
 */
const char *npr_receipt_file_url(const npr_receipt *receipt, size_t index);

/** Returns how many things were wanted and are not in the store. The comment names them. */
size_t npr_receipt_missing_count(const npr_receipt *receipt);

/** Returns the name of something that is missing, and "" past the last one. */
const char *npr_receipt_missing_name(const npr_receipt *receipt, size_t index);

/** Returns why something is missing, and "" past the last one. */
const char *npr_receipt_missing_reason(const npr_receipt *receipt, size_t index);

/**
 * Returns the whole receipt as JSON: the same object that notify_pr --json prints, described in
 * README.md. It is "" only if receipt is NULL.
 */
const char *npr_receipt_json(const npr_receipt *receipt);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NOTIFY_PR_H */
