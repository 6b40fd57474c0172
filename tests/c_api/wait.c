/* Uses the library, waits for a line on standard input, and uses it again. */
#include "check.h"

int main(int argc, char **argv)
{
    char line[16];

    CHECK(argc == 2);
    submit_and_free(lab_report(argv[1]));
    CHECK(fgets(line, sizeof line, stdin) != NULL);
    submit_and_free(lab_report(argv[1]));
    return 0;
}
