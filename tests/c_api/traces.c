/* Submits, and compares what the process looked like before and after. */
#include "check.h"

#include <locale.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

struct process {
    struct sigaction actions[NSIG];
    sigset_t blocked;
    stack_t stack;
    char descriptors[64][256];
    char environment[4096];
    char locale[256];
    char folder[4096];
    mode_t mask;
};

static void look(struct process *process)
{
    size_t used = 0;
    int i;

    memset(process, 0, sizeof *process);
    for (i = 1; i < NSIG; i++)
        sigaction(i, NULL, &process->actions[i]);
    sigprocmask(SIG_SETMASK, NULL, &process->blocked);
    sigaltstack(NULL, &process->stack);
    for (i = 0; i < 64; i++) {
        char name[64];

        snprintf(name, sizeof name, "/proc/self/fd/%d", i);
        if (readlink(name, process->descriptors[i], sizeof process->descriptors[i] - 1) < 0)
            process->descriptors[i][0] = '\0';
    }
    CHECK(entries("/proc/self/fd") < 64);
    for (i = 0; environ != NULL && environ[i] != NULL; i++)
        used += (size_t)snprintf(process->environment + used, sizeof process->environment - used,
                                 "%s\n", environ[i]);
    snprintf(process->locale, sizeof process->locale, "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(process->folder, sizeof process->folder) != NULL);
    process->mask = umask(022);
    umask(process->mask);
}

static int cancel(const npr_progress *progress, void *user_data)
{
    (void)progress;
    (void)user_data;
    return 1;
}

int main(int argc, char **argv)
{
    static struct process before, after;
    npr_report *report;
    npr_receipt *receipt;
    int i;

    CHECK(argc == 2);
    setlocale(LC_ALL, "");
    look(&before);
    CHECK(alone());

    submit_and_free(lab_report(argv[1]));
    report = lab_report(argv[1]);
    npr_report_on_progress(report, cancel, NULL);
    CHECK_STATUS(report, npr_report_submit(report, &receipt), NPR_CANCELLED);
    npr_receipt_free(receipt);
    npr_report_free(report);
    report = lab_report(argv[1]);
    CHECK_OK(report, npr_report_load_environment(report));
    CHECK_OK(report, npr_report_set(report, "api_url", "http://127.0.0.1:9"));
    CHECK_OK(report, npr_report_set(report, "timeout", "1s"));
    CHECK_STATUS(report, npr_report_submit(report, &receipt), NPR_GITHUB_UNREACHABLE);
    npr_receipt_free(receipt);
    npr_report_free(report);

    CHECK(alone());
    look(&after);
    for (i = 1; i < NSIG; i++)
        CHECK(before.actions[i].sa_handler == after.actions[i].sa_handler &&
              before.actions[i].sa_flags == after.actions[i].sa_flags);
    CHECK(memcmp(&before.blocked, &after.blocked, sizeof before.blocked) == 0);
    CHECK(before.stack.ss_sp == after.stack.ss_sp);
    for (i = 0; i < 64; i++)
        CHECK(strcmp(before.descriptors[i], after.descriptors[i]) == 0);
    CHECK(strcmp(before.environment, after.environment) == 0);
    CHECK(strcmp(before.locale, after.locale) == 0);
    CHECK(strcmp(before.folder, after.folder) == 0);
    CHECK(before.mask == after.mask);
    return 0;
}
