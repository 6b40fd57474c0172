/* Loads two copies of the library and submits with both at the same time. */
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>

struct copy {
    const char *ini;
    const char *context;
    void *library;
    npr_report *(*report_new)(void);
    void (*report_free)(npr_report *);
    npr_status (*load_ini)(npr_report *, const char *);
    npr_status (*set)(npr_report *, const char *, const char *);
    npr_status (*submit)(npr_report *, npr_receipt **);
    const char *(*error)(const npr_report *);
    void (*receipt_free)(npr_receipt *);
};

static void find(struct copy *copy, const char *name, void *function)
{
    void *found = dlsym(copy->library, name);

    CHECK(found != NULL);
    memcpy(function, &found, sizeof found);
}

static void load(struct copy *copy, const char *path)
{
    copy->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(copy->library != NULL);
    find(copy, "npr_report_new", &copy->report_new);
    find(copy, "npr_report_free", &copy->report_free);
    find(copy, "npr_report_load_ini", &copy->load_ini);
    find(copy, "npr_report_set", &copy->set);
    find(copy, "npr_report_submit", &copy->submit);
    find(copy, "npr_report_error", &copy->error);
    find(copy, "npr_receipt_free", &copy->receipt_free);
}

static void *submit(void *data)
{
    struct copy *copy = data;
    npr_report *report = copy->report_new();
    npr_receipt *receipt = NULL;

    CHECK(copy->load_ini(report, copy->ini) == NPR_OK);
    CHECK(copy->set(report, "context", copy->context) == NPR_OK);
    if (copy->submit(report, &receipt) != NPR_OK) {
        fprintf(stderr, "%s\n", copy->error(report));
        exit(1);
    }
    copy->receipt_free(receipt);
    copy->report_free(report);
    return NULL;
}

int main(int argc, char **argv)
{
    struct copy one = { 0 }, two = { 0 };
    pthread_t thread;

    CHECK(argc == 4);
    one.ini = two.ini = argv[1];
    one.context = "one";
    two.context = "two";
    load(&one, argv[2]);
    load(&two, argv[3]);
    CHECK(one.submit != two.submit);
    CHECK(pthread_create(&thread, NULL, submit, &one) == 0);
    submit(&two);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(alone());
    CHECK(dlclose(one.library) == 0);
    /* The other copy does not mind. */
    submit(&two);
    CHECK(dlclose(two.library) == 0);
    return 0;
}
