/* Sets parts of a run aside and submits them later as one: collect INI. */
#include "check.h"

static npr_report *part(const char *name)
{
    npr_report *report = npr_report_new();

    CHECK_OK(report, npr_report_set(report, "submit", "collect"));
    CHECK_OK(report, npr_report_set(report, "spool_dir", "spool"));
    CHECK_OK(report, npr_report_set(report, "part", name));
    CHECK_OK(report, npr_report_attach_bytes(report, "words.txt", name, strlen(name)));
    CHECK_OK(report, npr_report_begin(report));
    return report;
}

int main(int argc, char **argv)
{
    npr_report *report;
    npr_receipt *receipt;

    CHECK(argc == 2);
    report = part("one");
    CHECK_OK(report, npr_report_set(report, "counts", "passed=2, failed=1"));
    CHECK_OK(report, npr_report_submit(report, &receipt));
    CHECK_TEXT(npr_receipt_json(receipt), "\"spooled\": \"spool/");
    CHECK(strcmp(npr_receipt_comment_url(receipt), "") == 0);
    npr_receipt_free(receipt);
    npr_report_free(report);

    /* This one is never submitted. */
    npr_report_free(part("two"));

    report = npr_report_new();
    CHECK_STATUS(report, npr_report_load_spool(report, "no-such-folder"), NPR_BAD_FILE);
    CHECK_OK(report, npr_report_load_ini(report, argv[1]));
    CHECK_OK(report, npr_report_load_spool(report, "spool"));
    CHECK_OK(report, npr_report_submit(report, &receipt));
    CHECK_TEXT(npr_receipt_comment_text(receipt), "| one | ❌ Failed | 2 | 1 |");
    CHECK_TEXT(npr_receipt_comment_text(receipt), "| two | ⏹️ Did not finish |");
    CHECK(npr_receipt_file_count(receipt) == 2);
    CHECK(strcmp(npr_receipt_file_name(receipt, 0), "one/words.txt") == 0);
    CHECK(strcmp(npr_receipt_file_name(receipt, 1), "two/words.txt") == 0);
    npr_receipt_free(receipt);
    npr_report_free(report);
    return 0;
}
