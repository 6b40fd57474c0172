/* Submits in children: of a process that has used the library, and of one that is submitting. */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static const char *ini;

static void in_a_child(npr_report *report)
{
    pid_t child = fork();
    int status;

    CHECK(child >= 0);
    if (child == 0) {
        /* A child that hangs fails the test, and does not stay. */
        alarm(60);
        submit_and_free(report != NULL ? report : lab_report(ini));
        CHECK(alone());
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int fork_once(const npr_progress *progress, void *forked)
{
    (void)progress;
    if (!*(int *)forked) {
        *(int *)forked = 1;
        in_a_child(NULL);
    }
    return 0;
}

int main(int argc, char **argv)
{
    npr_report *report;
    int forked = 0;

    CHECK(argc == 2);
    ini = argv[1];
    submit_and_free(lab_report(ini));
    in_a_child(NULL);
    report = lab_report(ini);
    in_a_child(report);
    /* The child's submission is not ours. */
    submit_and_free(report);

    report = lab_report(ini);
    CHECK_OK(report, npr_report_on_progress(report, fork_once, &forked));
    submit_and_free(report);
    CHECK(forked);
    return 0;
}
