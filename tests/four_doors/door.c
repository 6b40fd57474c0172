/*
 * Prints the receipt of a report, or the names of all settings: door [INI ATTACHMENT NAME=VALUE...]
 */
#include "../c_api/check.h"

static int names(void)
{
    size_t i;

    for (i = 0; *npr_setting_name(i) != '\0'; i++)
        puts(npr_setting_name(i));
    return 0;
}

int main(int argc, char **argv)
{
    npr_report *report;
    npr_receipt *receipt = NULL;
    npr_status status;
    int i;

    if (argc < 3)
        return names();
    report = npr_report_new();
    CHECK_OK(report, npr_report_load_ini(report, argv[1]));
    CHECK_OK(report, npr_report_load_environment(report));
    for (i = 3; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        CHECK(value != NULL);
        *value = '\0';
        CHECK_OK(report, npr_report_set(report, argv[i], value + 1));
    }
    CHECK_OK(report, npr_report_attach(report, argv[2]));
    status = npr_report_submit(report, &receipt);
    puts(npr_receipt_json(receipt));
    npr_receipt_free(receipt);
    npr_report_free(report);
    return status;
}
