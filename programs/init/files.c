/* SPDX-License-Identifier: MIT */
/* Receiving and sending files, folders and links. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent.h"
#include "files.h"

static void
send_result(bool failed, const char *text)
{
    char bytes[sizeof(struct channel_result) + 256];
    struct channel_result head = { .failed = failed };
    size_t size = strlen(text) + 1;

    if (size > 256) {
        size = 256;
    }

    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + sizeof(head), text, size);
    bytes[sizeof(head) + size - 1] = '\0';
    agent_send(CHANNEL_RESULT, bytes, sizeof(head) + size);
}

/* -- In -------------------------------------------------------------------- */

static void
put_fail(struct put *put)
{
    if (!put->failed) {
        put->failed = true;
        snprintf(put->why, sizeof(put->why), "%.180s: %s", put->path,
                 strerror(errno));
    }

    if (put->fd >= 0) {
        close(put->fd);
        put->fd = -1;
    }
}

static void
make_parents(const char *path)
{
    char folder[CHANNEL_PAYLOAD_MAX];

    for (size_t i = 1; path[i] != '\0' && i < sizeof(folder); i++) {
        if (path[i] == '/') {
            memcpy(folder, path, i);
            folder[i] = '\0';
            mkdir(folder, 0755); /* it may be there: what counts comes */
        }
    }
}

static void
set_times(const char *path, int64_t mtime)
{
    struct timeval times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };

    (void)utimes(path, times);
}

static void
put_folder(struct put *put)
{
    struct stat status;

    if (mkdir(put->path, put->mode) != 0 &&
        (errno != EEXIST || stat(put->path, &status) != 0 ||
         !S_ISDIR(status.st_mode))) {
        put_fail(put);
        return;
    }

    chmod(put->path, put->mode);
    set_times(put->path, put->mtime);
}

static void
put_symlink(struct put *put, const char *target)
{
    unlink(put->path);

    if (symlink(target, put->path) != 0) {
        put_fail(put);
    }
}

static void
put_file(struct put *put)
{
    unlink(put->path);
    put->fd = open(put->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    put->active = true;

    if (put->fd < 0) {
        put_fail(put);
    }
}

void
put_start(struct put *put, const uint8_t *payload, size_t size)
{
    struct channel_entry entry;
    const char *strings = (const char *)payload + sizeof(entry);
    const char *end = (const char *)payload + size;
    const char *target;

    memset(put, 0, sizeof(*put));
    put->fd = -1;

    if (size <= sizeof(entry) || end[-1] != '\0') {
        send_result(true, "malformed request");
        return;
    }

    memcpy(&entry, payload, sizeof(entry));
    snprintf(put->path, sizeof(put->path), "%s", strings);
    put->mode = (mode_t)(entry.mode & 07777);
    put->mtime = entry.mtime;
    target = strings + strlen(strings) + 1;
    make_parents(put->path);

    if (entry.kind == CHANNEL_ENTRY_FILE) {
        put_file(put);
        return;
    }

    if (entry.kind == CHANNEL_ENTRY_FOLDER) {
        put_folder(put);
    } else if (entry.kind == CHANNEL_ENTRY_SYMLINK && target < end) {
        put_symlink(put, target);
    } else {
        errno = EINVAL;
        put_fail(put);
    }

    send_result(put->failed, put->why);
}

static void
put_end(struct put *put)
{
    if (put->fd >= 0) {
        if (fchmod(put->fd, put->mode) != 0 || close(put->fd) != 0) {
            put->fd = -1;
            put_fail(put);
        }

        set_times(put->path, put->mtime);
    }

    put->active = false;
    send_result(put->failed, put->why);
}

void
put_data(struct put *put, const uint8_t *bytes, size_t size)
{
    if (!put->active) {
        return;
    }

    if (size == 0) {
        put_end(put);
        return;
    }

    while (put->fd >= 0 && size > 0) {
        ssize_t done = write(put->fd, bytes, size);

        if (done < 0) {
            put_fail(put);
            return;
        }

        bytes += done;
        size -= (size_t)done;
    }
}

/* -- Out ------------------------------------------------------------------- */

/* Where the walk is: the path in the file system, and the part of it that is
 * told. */
struct get {
    char path[CHANNEL_PAYLOAD_MAX / 2];
    size_t base; /* length of the path asked for */
    bool failed;
    char why[256];
};

static void
get_fail(struct get *get)
{
    if (!get->failed) {
        get->failed = true;
        snprintf(get->why, sizeof(get->why), "%.180s: %s", get->path,
                 strerror(errno));
    }
}

static const char *
get_relative(const struct get *get)
{
    const char *relative = get->path + get->base;

    while (*relative == '/') {
        relative++;
    }

    return *relative != '\0' ? relative : ".";
}

static void
send_entry(const struct get *get, uint32_t kind, const struct stat *status,
           const char *target, size_t target_size)
{
    uint8_t bytes[CHANNEL_PAYLOAD_MAX];
    const char *relative = get_relative(get);
    size_t size = strlen(relative) + 1;
    struct channel_entry entry = { .kind = kind,
                                   .mode = status->st_mode & 07777,
                                   .size = (uint64_t)status->st_size,
                                   .mtime = status->st_mtime };

    memcpy(bytes, &entry, sizeof(entry));
    memcpy(bytes + sizeof(entry), relative, size);
    size += sizeof(entry);
    memcpy(bytes + size, target, target_size);
    agent_send(CHANNEL_ENTRY, bytes, size + target_size);
}

static void
get_file(struct get *get, const struct stat *status)
{
    char bytes[CHANNEL_PAYLOAD_MAX];
    ssize_t size;
    int fd = open(get->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        get_fail(get);
        return;
    }

    send_entry(get, CHANNEL_ENTRY_FILE, status, "", 0);

    while ((size = read(fd, bytes, sizeof(bytes))) > 0) {
        agent_send(CHANNEL_DATA, bytes, (size_t)size);
    }

    if (size < 0) {
        get_fail(get);
    }

    agent_send(CHANNEL_DATA, "", 0);
    close(fd);
}

static void
get_symlink(struct get *get, const struct stat *status)
{
    char target[CHANNEL_PAYLOAD_MAX / 4];
    ssize_t size = readlink(get->path, target, sizeof(target) - 1);

    if (size < 0) {
        get_fail(get);
        return;
    }

    target[size] = '\0';
    send_entry(get, CHANNEL_ENTRY_SYMLINK, status, target, (size_t)size + 1);
}

static void get_one(struct get *get, bool top);

static void
get_folder(struct get *get, const struct stat *status)
{
    size_t length = strlen(get->path);
    struct dirent *entry;
    DIR *folder = opendir(get->path);

    if (folder == NULL) {
        get_fail(get);
        return;
    }

    send_entry(get, CHANNEL_ENTRY_FOLDER, status, "", 0);

    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }

        if (length + strlen(entry->d_name) + 2 > sizeof(get->path)) {
            errno = ENAMETOOLONG;
            get_fail(get);
            continue;
        }

        get->path[length] = '/';
        strcpy(get->path + length + 1, entry->d_name);
        get_one(get, false);
        get->path[length] = '\0';
    }

    closedir(folder);
}

/* What is asked for itself may be a link to the thing. */
static void
get_one(struct get *get, bool top)
{
    struct stat status;

    if ((top ? stat(get->path, &status) : lstat(get->path, &status)) != 0) {
        get_fail(get);
    } else if (S_ISDIR(status.st_mode)) {
        get_folder(get, &status);
    } else if (S_ISLNK(status.st_mode)) {
        get_symlink(get, &status);
    } else if (S_ISREG(status.st_mode)) {
        get_file(get, &status);
    } else {
        errno = EINVAL;
        get_fail(get);
    }
}

void
get_send(const uint8_t *payload, size_t size)
{
    static struct get get;

    memset(&get, 0, sizeof(get));

    if (size == 0 || size > sizeof(get.path) || payload[size - 1] != '\0') {
        send_result(true, "malformed request");
        return;
    }

    memcpy(get.path, payload, size);
    get.base = strlen(get.path);

    while (get.base > 1 && get.path[get.base - 1] == '/') {
        get.base--;
        get.path[get.base] = '\0';
    }

    get_one(&get, true);
    send_result(get.failed, get.why);
}
