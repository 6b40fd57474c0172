/* What the test programs share. */
#ifndef CHECK_H
#define CHECK_H

#include <notify_pr.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* A call on a report that has to end so; what the report says of it is shown if it does not. */
#define CHECK_STATUS(report, call, wanted)                                                         \
    do {                                                                                           \
        npr_status ended = (call);                                                                 \
        if (ended != (wanted)) {                                                                   \
            fprintf(stderr, "%s:%d: %s is %d, not %d: %s\n", __FILE__, __LINE__, #call, ended,     \
                    (wanted), npr_report_error(report));                                           \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_OK(report, call) CHECK_STATUS(report, call, NPR_OK)

#define CHECK_TEXT(text, wanted)                                                                   \
    do {                                                                                           \
        const char *said = (text);                                                                 \
        if (strstr(said, (wanted)) == NULL) {                                                      \
            fprintf(stderr, "%s:%d: \"%s\" is not in: %s\n", __FILE__, __LINE__, (wanted), said);  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* A report as the lab makes it. */
static inline npr_report *lab_report(const char *ini)
{
    npr_report *report = npr_report_new();

    CHECK_OK(report, npr_report_load_ini(report, ini));
    CHECK_OK(report, npr_report_attach_bytes(report, "answer.txt", "42\n", 3));
    return report;
}

/* Submits a report that has to arrive, and frees it. */
static inline void submit_and_free(npr_report *report)
{
    npr_receipt *receipt = NULL;

    CHECK_OK(report, npr_report_submit(report, &receipt));
    CHECK(npr_receipt_pull_number(receipt) > 0);
    CHECK_TEXT(npr_receipt_comment_url(receipt), "#issuecomment-");
    npr_receipt_free(receipt);
    npr_report_free(report);
}

static inline double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline int entries(const char *folder)
{
    DIR *open = opendir(folder);
    int count = 0;

    CHECK(open != NULL);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count - 2;
}

/*
 * Whether this thread is the only one. The kernel needs a moment to forget a thread after it was
 * joined, so it gets one.
 */
static inline int alone(void)
{
    double until = seconds() + 5;

    while (entries("/proc/self/task") > 1)
        if (seconds() > until)
            return 0;
    return 1;
}

#endif
