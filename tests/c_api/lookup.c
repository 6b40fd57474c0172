/* Reports to a host whose name takes seven seconds to look up, with one second to do it. */
#include "check.h"

#include <netdb.h>
#include <unistd.h>

static int lookups;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    (void)node;
    (void)service;
    (void)hints;
    (void)found;
    __atomic_add_fetch(&lookups, 1, __ATOMIC_SEQ_CST);
    sleep(7);
    return EAI_NONAME;
}

static int count(const npr_progress *progress, void *calls)
{
    (void)progress;
    ++*(int *)calls;
    /* It cancels, but a lookup cannot be ended from outside. */
    return *(int *)calls == 20;
}

int main(int argc, char **argv)
{
    npr_receipt *receipt;
    npr_report *report;
    int calls = 0;

    CHECK(argc == 2);
    report = lab_report(argv[1]);
    CHECK_OK(report, npr_report_set(report, "api_url", "https://github.invalid/api/v3"));
    CHECK_OK(report, npr_report_set(report, "timeout", "1s"));
    CHECK_OK(report, npr_report_on_progress(report, count, &calls));
    CHECK(npr_report_submit(report, &receipt) != NPR_OK);
    /* Were a thread left behind, it would sleep for longer than alone() waits. */
    CHECK(alone());
    CHECK(lookups > 0);
    CHECK(calls == 20);
    npr_receipt_free(receipt);
    npr_report_free(report);
    return 0;
}
