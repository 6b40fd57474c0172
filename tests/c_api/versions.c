/* Prints what header and library say of themselves. */
#include "check.h"

int main(void)
{
    printf("%d.%d.%d %s\n", NPR_VERSION_MAJOR, NPR_VERSION_MINOR, NPR_VERSION_PATCH,
           npr_version());
    printf("%d %d\n", NPR_ABI_VERSION, npr_abi_version());
    CHECK(sizeof(npr_status) == sizeof(int) && sizeof(npr_stage) == sizeof(int));
    return 0;
}
