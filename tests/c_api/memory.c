/* Submits a thousand reports, and looks whether anything of them stays in memory. */
#include "check.h"

#include <malloc.h>
#include <unistd.h>

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long all, resident;

    CHECK(file != NULL && fscanf(file, "%ld %ld", &all, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    size_t allocated = 0;
    long resident = 0;
    int i;

    CHECK(argc == 2);
    for (i = 1; i <= 1000; i++) {
        submit_and_free(lab_report(argv[1]));
        if (i == 100) {
            CHECK(alone());
            allocated = mallinfo2().uordblks;
            resident = resident_kib();
        }
    }
    CHECK(alone());
    printf("allocated: %zu bytes, then %zu; resident: %ld KiB, then %ld\n", allocated,
           mallinfo2().uordblks, resident, resident_kib());
    /* A leak of 8 bytes for each submit would be more. */
    CHECK(mallinfo2().uordblks < allocated + 900 * 8);
    CHECK(resident_kib() < resident + 8 * 1024);
    return 0;
}
