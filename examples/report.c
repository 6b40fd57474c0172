/*
 * Reports a run from C: settings from an INI file, the commit, and what to attach.
 *
 *     cc -o report report.c $(pkg-config --cflags --libs notify_pr)
 *     ./report notify_pr.ini 3357460473a4ea60d338dd5f03d231294ba79f89 MarvinLogs
 */
#include <notify_pr.h>

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* Shows how far the upload is; Ctrl-C cancels it. */
static int on_progress(const npr_progress *progress, void *user_data)
{
    FILE *terminal = user_data;

    if (progress->stage == NPR_STAGE_UPLOAD)
        fprintf(terminal, "%llu of %llu files\n", (unsigned long long)progress->files_done,
                (unsigned long long)progress->files);
    return interrupted;
}

int main(int argc, char **argv)
{
    npr_report *report = npr_report_new();
    npr_receipt *receipt = NULL;
    npr_status status;
    size_t i;

    if (argc < 3) {
        fprintf(stderr, "usage: report INI COMMIT [FILE...]\n");
        npr_report_free(report);
        return NPR_BAD_SETTING;
    }
    signal(SIGINT, on_interrupt);
    if ((status = npr_report_load_ini(report, argv[1])) != NPR_OK ||
        (status = npr_report_set(report, "commit", argv[2])) != NPR_OK ||
        (status = npr_report_on_progress(report, on_progress, stderr)) != NPR_OK)
        goto end;
    for (i = 3; i < (size_t)argc; i++)
        if ((status = npr_report_attach(report, argv[i])) != NPR_OK)
            goto end;

    status = npr_report_submit(report, &receipt);
    printf("comment: %s\n", npr_receipt_comment_url(receipt));
    printf("files:   %s\n", npr_receipt_page_url(receipt));
    for (i = 0; i < npr_receipt_missing_count(receipt); i++)
        printf("missing: %s: %s\n", npr_receipt_missing_name(receipt, i),
               npr_receipt_missing_reason(receipt, i));
end:
    if (status != NPR_OK)
        fprintf(stderr, "report: %s\n", npr_report_error(report));
    npr_receipt_free(receipt);
    npr_report_free(report);
    return status;
}
