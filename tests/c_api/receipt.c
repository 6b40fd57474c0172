/* Reads everything in a receipt: receipt INI FOLDER, where FOLDER has two files. */
#include "check.h"

int main(int argc, char **argv)
{
    npr_report *report;
    npr_receipt *receipt;
    size_t i;

    CHECK(argc == 3);
    report = lab_report(argv[1]);
    CHECK_OK(report, npr_report_attach(report, argv[2]));
    CHECK_OK(report, npr_report_attach(report, "never-written.log"));
    CHECK_OK(report, npr_report_set(report, "details.Hypervisor", "KVM"));
    CHECK_OK(report, npr_report_set(report, "details.Network", "Advanced"));
    CHECK_OK(report, npr_report_set_summary(report, "All 12 suites look **OK**."));
    CHECK_STATUS(report, npr_report_submit(report, &receipt), NPR_STORE_PARTIAL);
    CHECK_TEXT(npr_report_error(report), "never-written.log");
    npr_report_free(report);

    CHECK(npr_receipt_pull_number(receipt) == 4);
    CHECK_TEXT(npr_receipt_comment_url(receipt), "/apache/cloudstack/pull/4#issuecomment-");
    CHECK_TEXT(npr_receipt_comment_text(receipt), "All 12 suites look **OK**.");
    CHECK_TEXT(npr_receipt_comment_text(receipt), "| Hypervisor | KVM |\n| Network | Advanced |\n");
    CHECK_TEXT(npr_receipt_page_url(receipt), "/index.html");
    CHECK(strlen(npr_receipt_expires(receipt)) == strlen("2026-07-08T09:10:11Z"));
    CHECK(npr_receipt_file_count(receipt) == 3);
    for (i = 0; i < 3; i++) {
        printf("%s\n", npr_receipt_file_name(receipt, i));
        CHECK_TEXT(npr_receipt_file_url(receipt, i), "http://127.0.0.1:");
    }
    CHECK(strcmp(npr_receipt_file_name(receipt, 3), "") == 0);
    CHECK(strcmp(npr_receipt_file_url(receipt, 3), "") == 0);
    CHECK(npr_receipt_missing_count(receipt) == 1);
    CHECK_TEXT(npr_receipt_missing_name(receipt, 0), "never-written.log");
    CHECK(strlen(npr_receipt_missing_reason(receipt, 0)) > 0);
    CHECK(strcmp(npr_receipt_missing_name(receipt, 1), "") == 0);
    CHECK(strcmp(npr_receipt_missing_reason(receipt, 1), "") == 0);
    CHECK_TEXT(npr_receipt_json(receipt), "\"status\": 22");
    npr_receipt_free(receipt);
    return 0;
}
