/* Has a getenv of its own, which prints what it is asked for and tells the truth. */
#include "check.h"

extern char **environ;

static int watching;

char *getenv(const char *name)
{
    size_t length = strlen(name);
    char **variable;

    if (watching)
        printf("%s\n", name);
    for (variable = environ; variable != NULL && *variable != NULL; variable++)
        if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
            return *variable + length + 1;
    return NULL;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    watching = 1;
    submit_and_free(lab_report(argv[1]));
    watching = 0;
    return 0;
}
