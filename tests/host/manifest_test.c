/* SPDX-License-Identifier: MIT */
/* The manifest's parser: what it takes, what it refuses and how it says so. */

#include <stdlib.h>
#include <string.h>

#include "../../servers/bootstrap/manifest.h"
#include "tap.h"

static struct manifest manifest;
static struct manifest_error error;

static bool
parse(const char *text)
{
    /* A copy of exact size: reading past the end is found by ASan. */
    size_t size = strlen(text);
    char *copy = malloc(size != 0 ? size : 1);
    bool good;

    memcpy(copy, text, size);
    memset(&error, 0, sizeof(error));
    good = manifest_parse(copy, size, &manifest, &error);
    free(copy);
    return good;
}

static void
good_manifest(void)
{
    const struct manifest_server *s;

    ok(parse("# all of it\n"
             "server rtc\n"
             "    priority driver\n"
             "    ports 0x70-0x71   # the CMOS\n"
             "    privilege host\n"
             "    wait exit\n"
             "\n"
             "server console\n"
             "    module serial\n"
             "    arguments --speed 115200 \"two words\" \"\"\n"
             "    priority 50\n"
             "    restart always\n"
             "    ports 0x3f8-0x3ff 0x2f8-0x2ff\n"
             "    interrupt 4 3\n"
             "    memory 0xfebc0000 0x1000\n"
             "    check-in console channel\n"
             "    wait check-in\n"
             "server unix\n"
             "    essential\n"
             "    restart 2\n"
             "    look-up console\n"
             "    read-module root.cpio\n"
             "    privilege host vm security device-master"),
       "a manifest with every word");
    is(manifest.count, 3, "it has three servers");

    s = &manifest.servers[0];
    ok(strcmp(s->name, "rtc") == 0 && strcmp(s->module, "rtc") == 0,
       "the module's name is the server's");
    ok(s->port_count == 1 && s->ports[0].first == 0x70 &&
           s->ports[0].last == 0x71,
       "a range of ports");
    ok(s->host_priv && !s->vm_privilege && !s->device_master, "a privilege");
    is(s->wait, MANIFEST_WAIT_EXIT, "wait for the exit");
    is(s->priority, 48, "a priority by name");
    is(s->restart, 0, "no restart unless asked for");

    s = &manifest.servers[1];
    ok(strcmp(s->module, "serial") == 0, "another module");
    is(s->argc, 4, "four arguments");
    ok(s->arguments_size == 26 &&
           memcmp(s->arguments, "--speed\000115200\0two words\0", 26) == 0,
       "arguments, with blanks and empty");
    is(s->priority, 50, "a priority by number");
    is(s->restart, MANIFEST_RESTART_ALWAYS, "restarted always");
    ok(manifest_may_interrupt(s, 3) && manifest_may_interrupt(s, 4) &&
           !manifest_may_interrupt(s, 5),
       "interrupts are granted one by one");
    ok(manifest_may_map(s, 0xfebc0000, 0x1000) &&
           !manifest_may_map(s, 0xfebc0000, 0x1001) &&
           !manifest_may_map(s, 0xfebbffff, 1) &&
           !manifest_may_map(s, 0xfebc0800, UINT64_MAX),
       "memory is granted by range");
    ok(manifest_may_check_in(s, "channel") && !manifest_may_check_in(s, "rtc"),
       "services are granted by name");

    s = &manifest.servers[2];
    ok(manifest_may_look_up(s, "console") &&
           !manifest_may_look_up(s, "channel"),
       "look-ups are granted by name");
    ok(manifest_may_read_module(s, "root.cpio") &&
           !manifest_may_read_module(s, "unix"),
       "modules are granted by name");
    is(s->restart, 2, "a number of restarts");
    ok(s->essential && s->vm_privilege && s->device_master, "privileges");
}

struct bad {
    const char *text;
    unsigned int line;
    const char *message;
};

static const struct bad bads[] = {
    { "", 0, "there is no server" },
    { "# nothing\n", 0, "there is no server" },
    { "\nports 1\n", 2, "`ports' before the first `server'" },
    { "server a\nservice b\n", 2, "unknown word `service'" },
    { "server\n", 1, "`server' takes 1 value, not 0" },
    { "server a b\n", 1, "`server' takes 1 value, not 2" },
    { "server a\nessential now\n", 2, "`essential' takes 0 values, not 1" },
    { "server a\nmemory 1\n", 2, "`memory' takes 2 values, not 1" },
    { "server a/b\n", 1, "`a/b' is not a name" },
    { "server \"\"\n", 1, "`' is not a name" },
    { "server aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 1,
      "the name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is too long" },
    { "server a\n\nserver a\n", 3, "server `a' is already in line 1" },
    { "server a\nports 0x10000\n", 2, "0x10000 is more than 65535" },
    { "server a\nports 5-4\n", 2, "ports end before they begin" },
    { "server a\nports x\n", 2, "`x' is not a number" },
    { "server a\nports 1-\n", 2, "`' is not a number" },
    { "server a\nports 0x\n", 2, "`0x' is not a number" },
    { "server a\nports 1f\n", 2, "`1f' is not a number" },
    { "server a\ninterrupt 16\n", 2, "16 is more than 15" },
    { "server a\npriority 64\n", 2, "64 is more than 63" },
    { "server a\npriority high\n", 2, "`high' is not a number" },
    { "server a\nrestart often\n", 2, "`often' is not a number" },
    { "server a\nwait forever\n", 2,
      "wait for `check-in' or `exit', not `forever'" },
    { "server a\nmemory 1 0\n", 2, "the range of memory is empty or wraps" },
    { "server a\nmemory 0xffffffffffffffff 1\n", 2,
      "the range of memory is empty or wraps" },
    { "server a\nmemory 0xffffffffffffffff 2\n", 2,
      "the range of memory is empty or wraps" },
    { "server a\nmemory 0x10000000000000000 1\n", 2,
      "0x10000000000000000 is more than 18446744073709551615" },
    { "server a\nprivilege root\n", 2, "no such privilege: `root'" },
    { "server a\narguments \"x\n", 2, "no closing \"" },
    { "server a\ncheck-in x\nserver b\ncheck-in x\n", 3,
      "`a' and `b' both check in `x'" },
    { "server a\nlook-up x\n", 1, "`a' looks up `x', which nobody checks in" },
    { "server a\nwait check-in\n", 1, "`a' has nothing to check in" },
    { "server a\ninterrupt 1 2 3 4 5 6 7 8 9\n", 2, "more than 8 interrupts" },
};

static void
bad_manifests(void)
{
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        const struct bad *bad = &bads[i];
        bool good = parse(bad->text);

        if (!ok(!good && error.line == bad->line &&
                    strcmp(error.text, bad->message) == 0,
                "refused: %s", bad->message)) {
            printf("# %u: %s\n", error.line, error.text);
        }
    }
}

/* Whatever comes, the parser ends and stays in its bounds. */
static void
random_manifests(void)
{
    static const char *const pieces[] = {
        "server ", "a",      "ports ",     "0x3f8",    "-",          "\n",
        " ",       "\"",     "#",          "look-up ", "check-in ",  "b",
        "memory ", "0xfff ", "arguments ", "x ",       "privilege ", "host",
        "wait ",   "exit",   "restart ",   "\t",       "interrupt ", "7 "
    };
    char text[512];

    srand(1);

    for (int round = 0; round < 20000; round++) {
        text[0] = '\0';

        while (strlen(text) < sizeof(text) - 16 && rand() % 40 != 0) {
            strcat(
                text,
                pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
        }

        (void)parse(text);
    }

    ok(true, "random manifests do no harm");
}

int
main(void)
{
    good_manifest();
    bad_manifests();
    random_manifests();
    return tap_done();
}
