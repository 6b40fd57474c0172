/*
 * Cancels in one stage: cancel INI STAGE CALLS [PATH...], where the paths are attached. With CALLS above 1 the stage has to last
 * for so many calls first, as it does when the network stalls.
 */
#include "check.h"

struct watch {
    npr_stage stage;
    int calls_wanted;
    int calls;
    double last;
    double longest;
    double cancelled;
};

static int look(const npr_progress *progress, void *user_data)
{
    struct watch *watch = user_data;
    double now = seconds();

    CHECK(watch->cancelled == 0);
    if (now - watch->last > watch->longest)
        watch->longest = now - watch->last;
    watch->last = now;
    if (progress->stage == watch->stage && ++watch->calls >= watch->calls_wanted) {
        watch->cancelled = now;
        return 1;
    }
    /* A stage that was never seen must not let the test wait for ever. */
    CHECK(progress->stage <= watch->stage);
    return 0;
}

int main(int argc, char **argv)
{
    struct watch watch = { 0 };
    npr_receipt *receipt = NULL;
    npr_report *report;
    double took;
    int i;

    CHECK(argc >= 4);
    watch.stage = (npr_stage)atoi(argv[2]);
    watch.calls_wanted = atoi(argv[3]);
    report = lab_report(argv[1]);
    for (i = 4; i < argc; i++)
        CHECK_OK(report, npr_report_attach(report, argv[i]));
    CHECK_OK(report, npr_report_on_progress(report, look, &watch));
    watch.last = seconds();
    CHECK_STATUS(report, npr_report_submit(report, &receipt), NPR_CANCELLED);
    took = seconds() - watch.cancelled;
    printf("the longest wait for a call: %.3f s; cancelled in %.3f s\n", watch.longest, took);
    /* Five times what the header promises: this machine may be busy. */
    CHECK(watch.longest < 5 * 0.2);
    CHECK(took < 5 * 1.0);
    CHECK(alone());
    CHECK(receipt != NULL);
    CHECK_TEXT(npr_receipt_json(receipt), "\"status\": 40");
    npr_receipt_free(receipt);
    npr_report_free(report);
    return 0;
}
