/* Calls everything wrongly. */
#include "check.h"

static const char *const broken = "farbe-\xe4";

static void null_is_refused(void)
{
    npr_report *report = npr_report_new();
    npr_receipt *receipt = (npr_receipt *)&report;

    CHECK(npr_report_load_ini(NULL, "x") == NPR_NULL_ARGUMENT);
    CHECK(npr_report_load_environment(NULL) == NPR_NULL_ARGUMENT);
    CHECK(npr_report_set(NULL, "commit", "x") == NPR_NULL_ARGUMENT);
    CHECK(npr_report_set_summary(NULL, "x") == NPR_NULL_ARGUMENT);
    CHECK(npr_report_attach(NULL, "x") == NPR_NULL_ARGUMENT);
    CHECK(npr_report_attach_bytes(NULL, "x", "x", 1) == NPR_NULL_ARGUMENT);
    CHECK(npr_report_on_progress(NULL, NULL, NULL) == NPR_NULL_ARGUMENT);
    CHECK(npr_report_submit(NULL, &receipt) == NPR_NULL_ARGUMENT);
    CHECK(receipt == NULL);
    CHECK(strcmp(npr_report_get(NULL, "commit"), "") == 0);
    CHECK_TEXT(npr_report_error(NULL), "report is NULL");
    npr_report_free(NULL);

    CHECK(strcmp(npr_report_error(report), "") == 0);
    CHECK(npr_report_load_ini(report, NULL) == NPR_NULL_ARGUMENT);
    CHECK_TEXT(npr_report_error(report), "path is NULL");
    CHECK(npr_report_set(report, NULL, "x") == NPR_NULL_ARGUMENT);
    CHECK_TEXT(npr_report_error(report), "name is NULL");
    CHECK(npr_report_set(report, "commit", NULL) == NPR_NULL_ARGUMENT);
    CHECK_TEXT(npr_report_error(report), "value is NULL");
    CHECK(npr_report_set_summary(report, NULL) == NPR_NULL_ARGUMENT);
    CHECK_TEXT(npr_report_error(report), "markdown is NULL");
    CHECK(npr_report_attach(report, NULL) == NPR_NULL_ARGUMENT);
    CHECK(npr_report_attach_bytes(report, NULL, "x", 1) == NPR_NULL_ARGUMENT);
    CHECK(npr_report_attach_bytes(report, "x", NULL, 1) == NPR_NULL_ARGUMENT);
    CHECK_TEXT(npr_report_error(report), "data is NULL");
    CHECK_OK(report, npr_report_attach_bytes(report, "x", NULL, 0));
    CHECK(strcmp(npr_report_get(report, NULL), "") == 0);
    CHECK_TEXT(npr_report_error(report), "name is NULL");
    npr_report_free(report);
}

static void nothing_is_read_of_a_receipt_that_is_null(void)
{
    CHECK(npr_receipt_pull_number(NULL) == 0);
    CHECK(strcmp(npr_receipt_comment_url(NULL), "") == 0);
    CHECK(strcmp(npr_receipt_comment_text(NULL), "") == 0);
    CHECK(strcmp(npr_receipt_page_url(NULL), "") == 0);
    CHECK(strcmp(npr_receipt_expires(NULL), "") == 0);
    CHECK(npr_receipt_file_count(NULL) == 0);
    CHECK(strcmp(npr_receipt_file_name(NULL, 0), "") == 0);
    CHECK(strcmp(npr_receipt_file_url(NULL, 0), "") == 0);
    CHECK(npr_receipt_missing_count(NULL) == 0);
    CHECK(strcmp(npr_receipt_missing_name(NULL, 0), "") == 0);
    CHECK(strcmp(npr_receipt_missing_reason(NULL, 0), "") == 0);
    CHECK(strcmp(npr_receipt_json(NULL), "") == 0);
    npr_receipt_free(NULL);
}

static void texts_that_are_not_utf8_are_refused(void)
{
    npr_report *report = npr_report_new();

    CHECK(npr_report_set(report, "context", broken) == NPR_BAD_TEXT);
    CHECK_TEXT(npr_report_error(report), "value is not valid UTF-8 from byte 6 on");
    CHECK(npr_report_set(report, broken, "x") == NPR_BAD_TEXT);
    CHECK(npr_report_set_summary(report, broken) == NPR_BAD_TEXT);
    CHECK(npr_report_attach_bytes(report, broken, "x", 1) == NPR_BAD_TEXT);
    CHECK(strcmp(npr_report_get(report, broken), "") == 0);
    CHECK_TEXT(npr_report_error(report), "name is not valid UTF-8");
    CHECK(strcmp(npr_setting_help(broken), "") == 0);
    /* A path is bytes; and bytes are bytes. */
    CHECK_OK(report, npr_report_attach(report, broken));
    CHECK_OK(report, npr_report_attach_bytes(report, "x", "\xe4\0\xff", 3));
    CHECK(npr_report_load_ini(report, broken) == NPR_BAD_FILE);
    npr_report_free(report);
}

static void wrong_settings_are_refused(void)
{
    npr_report *report = npr_report_new();

    CHECK(npr_report_set(report, "tokn", "x") == NPR_BAD_SETTING);
    CHECK_TEXT(npr_report_error(report), "token");
    CHECK(npr_report_set(report, "jobs", "many") == NPR_BAD_SETTING);
    CHECK_TEXT(npr_report_error(report), "jobs");
    CHECK(npr_report_attach(report, "") == NPR_BAD_SETTING);
    CHECK(npr_report_attach_bytes(report, "", "x", 1) == NPR_BAD_SETTING);
    CHECK(npr_report_load_ini(report, "there-is-no.ini") == NPR_BAD_FILE);
    CHECK_TEXT(npr_report_error(report), "there-is-no.ini");
    CHECK(strcmp(npr_report_get(report, "tokn"), "") == 0);
    CHECK_TEXT(npr_report_error(report), "there is no setting tokn");

    /* What is right is kept, also after all that. */
    CHECK_OK(report, npr_report_set(report, "context", "farbe-\xc3\xa4"));
    CHECK(strcmp(npr_report_get(report, "context"), "farbe-\xc3\xa4") == 0);
    CHECK_OK(report, npr_report_set(report, "token", "invented-token"));
    CHECK(strstr(npr_report_get(report, "token"), "invented") == NULL);
    CHECK(strlen(npr_report_get(report, "token")) > 0);
    CHECK(strcmp(npr_report_get(report, "store_expire_days"), "7") == 0);

    /* Rows of the comment's table are settings too. */
    CHECK(npr_report_set(report, "details.", "KVM") == NPR_BAD_SETTING);
    CHECK(npr_report_set(report, "details.Hypervisor", "K\nVM") == NPR_BAD_SETTING);
    CHECK_TEXT(npr_report_error(report), "details.Hypervisor: ");
    CHECK(strcmp(npr_report_get(report, "details.Hypervisor"), "") == 0);
    CHECK_OK(report, npr_report_set(report, "details.Hypervisor", "KVM"));
    CHECK(strcmp(npr_report_get(report, "details.Hypervisor"), "KVM") == 0);
    CHECK(strlen(npr_setting_help("details.Hypervisor")) > 0);
    npr_report_free(report);
}

static void a_wrong_order_is_refused(const char *ini)
{
    npr_report *report = lab_report(ini);
    npr_receipt *receipt = NULL;

    CHECK_OK(report, npr_report_submit(report, &receipt));
    npr_receipt_free(receipt);
    receipt = NULL;
    CHECK(npr_report_submit(report, &receipt) == NPR_MISUSE);
    CHECK_TEXT(npr_report_error(report), "submitted already");
    CHECK(receipt != NULL);
    CHECK_TEXT(npr_receipt_json(receipt), "\"status\": 4,");
    CHECK(strcmp(npr_receipt_comment_url(receipt), "") == 0);
    npr_receipt_free(receipt);
    CHECK(npr_report_set(report, "context", "late") == NPR_MISUSE);
    CHECK(npr_report_load_ini(report, ini) == NPR_MISUSE);
    CHECK(npr_report_load_environment(report) == NPR_MISUSE);
    CHECK(npr_report_set_summary(report, "late") == NPR_MISUSE);
    CHECK(npr_report_attach(report, "late") == NPR_MISUSE);
    CHECK(npr_report_attach_bytes(report, "late", "x", 1) == NPR_MISUSE);
    CHECK(npr_report_on_progress(report, NULL, NULL) == NPR_MISUSE);
    /* To look is allowed. */
    CHECK(strcmp(npr_report_get(report, "context"), "kvm") == 0);
    npr_report_free(report);
}

static void what_cannot_be_submitted_has_a_receipt(void)
{
    npr_report *report = npr_report_new();
    npr_receipt *receipt = NULL;

    CHECK(npr_report_submit(report, &receipt) == NPR_BAD_SETTING);
    CHECK(receipt != NULL);
    CHECK_TEXT(npr_receipt_json(receipt), "\"status\": 3,");
    /* The texts of a receipt outlive its report. */
    npr_report_free(report);
    CHECK_TEXT(npr_receipt_json(receipt), "\"error\": \"");
    npr_receipt_free(receipt);
    /* Nobody has to want a receipt. */
    report = npr_report_new();
    CHECK(npr_report_submit(report, NULL) == NPR_BAD_SETTING);
    npr_report_free(report);
}

static void lists_end(void)
{
    size_t i;

    for (i = 0; strcmp(npr_setting_name(i), "") != 0; i++)
        CHECK(strlen(npr_setting_help(npr_setting_name(i))) > 0);
    CHECK(i > 30);
    CHECK(strcmp(npr_setting_name((size_t)-1), "") == 0);
    CHECK(strcmp(npr_setting_help("no such setting"), "") == 0);
    CHECK(strcmp(npr_setting_help(NULL), "") == 0);
    CHECK_TEXT(npr_status_text(12345), "unknown");
    CHECK_TEXT(npr_status_text(-1), "unknown");
    CHECK_TEXT(npr_status_text(NPR_OK), "delivered");
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    null_is_refused();
    nothing_is_read_of_a_receipt_that_is_null();
    texts_that_are_not_utf8_are_refused();
    wrong_settings_are_refused();
    a_wrong_order_is_refused(argv[1]);
    what_cannot_be_submitted_has_a_receipt();
    lists_end();
    return 0;
}
