/* Submits with a library that panics where the title says: panic INI POINT... */
#include "check.h"

int main(int argc, char **argv)
{
    npr_receipt *receipt;
    npr_report *report;
    char title[64];
    int i;

    CHECK(argc > 2);
    for (i = 2; i < argc; i++) {
        fprintf(stderr, "%s:\n", argv[i]);
        snprintf(title, sizeof title, "fault-point: %s", argv[i]);
        report = lab_report(argv[1]);
        CHECK_OK(report, npr_report_set(report, "title", title));
        receipt = NULL;
        CHECK_STATUS(report, npr_report_submit(report, &receipt), NPR_INTERNAL);
        CHECK_TEXT(npr_report_error(report), "bug");
        CHECK_TEXT(npr_receipt_json(receipt), "\"status\": 50");
        CHECK(alone());
        npr_receipt_free(receipt);
        npr_report_free(report);
        /* Nobody else notices. */
        submit_and_free(lab_report(argv[1]));
    }
    report = lab_report(argv[1]);
    CHECK_OK(report, npr_report_set(report, "title", "fault-point: call"));
    CHECK(npr_report_set_summary(report, "x") == NPR_INTERNAL);
    CHECK_TEXT(npr_report_error(report), "the fault point call");
    CHECK(strcmp(npr_report_get(report, "context"), "") == 0);
    receipt = NULL;
    CHECK(npr_report_submit(report, &receipt) == NPR_INTERNAL);
    CHECK(receipt != NULL);
    npr_receipt_free(receipt);
    npr_report_free(report);
    return 0;
}
