/* Submits from eight threads at once, a report each; and one report from two threads. */
#include "check.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS 8

static const char *ini;

static void *submit(void *data)
{
    npr_report *report = lab_report(ini);

    CHECK_OK(report, npr_report_set(report, "context", data));
    submit_and_free(report);
    return NULL;
}

/* Another thread that uses the report while it is submitted. */
static void *intrude(void *report)
{
    CHECK(npr_report_set(report, "context", "intruder") == NPR_MISUSE);
    CHECK_TEXT(npr_report_error(report), "has not ended");
    npr_report_free(report);
    return NULL;
}

static int look(const npr_progress *progress, void *report)
{
    pthread_t thread;

    (void)progress;
    CHECK(pthread_create(&thread, NULL, intrude, report) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    /* The callback itself is no better. */
    CHECK(npr_report_submit(report, NULL) == NPR_MISUSE);
    CHECK(strcmp(npr_report_get(report, "context"), "") == 0);
    return 0;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    char contexts[THREADS][16];
    npr_report *report;
    int i;

    CHECK(argc == 2);
    ini = argv[1];
    for (i = 0; i < THREADS; i++) {
        snprintf(contexts[i], sizeof contexts[i], "lab-%d", i);
        CHECK(pthread_create(&threads[i], NULL, submit, contexts[i]) == 0);
    }
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);

    report = lab_report(ini);
    CHECK_OK(report, npr_report_on_progress(report, look, report));
    submit_and_free(report);
    return 0;
}
