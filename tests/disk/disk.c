// A disk that fails, for a program that this is preloaded into.
//
// It stands between the program and the files below DISK_FOLDER, and keeps what a real disk
// would have: which writes were synced, and what was there before those that were not. Then
// a power cut can be played: unsynced writes are lost, kept, or torn at a sector, whichever
// the seed says, unsynced names come and go in their order, and the program is killed.
//
//   DISK_FOLDER  the folder, without links in its path
//   DISK_STASH   a folder beside it, for what names stood for
//   DISK_SEED    what a power cut chooses by
//   DISK_REPORT  a file that gets a line for each fault that came to pass
//   DISK_FAULT   CALL:FILE:NTH:TIMES:WHAT, or nothing
//     CALL   write, sync, cut (ftruncate), name (open anew, rename, unlink), or any
//     FILE   how the file's name begins or ends, or nothing
//     NTH    the first call of that kind that fails, from 1; TIMES  how many do
//     WHAT   eio, enospc, short (a part is written first), power, kill, or slow:MILLISECONDS
//
// A signal USR1 cuts the power, too, and so does an orderly end if DISK_CUT_AT_END is set. After a failed fsync the kernel believes pages clean
// that are not on disk (Rebello et al., "Can Applications Recover from fsync Failures?",
// USENIX ATC 2020): what such a call should have synced stays in doubt for good.
//
// DISK_CLOCK is added to the time of day, in seconds.
//
// What bypasses libc (rustix) is not seen; names that it changes count as synced. The
// "-shm" file of SQLite is memory, and left alone.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = 512, FILES = 4096 };
enum state { PENDING, SYNCED, DOUBTFUL };

// A change of a file's bytes: a write, or, where it has no bytes, a cut to `end`.
struct change {
    struct change *next, *before;
    enum state state;
    off_t at, end, length_before;
    size_t count, count_before;
    char *bytes, *bytes_before;
};

// A file that was written to. It is known by its inode, whatever its name is.
struct file {
    dev_t device;
    ino_t inode;
    int fd;
    struct change *first, *last;
};

// A name that was given, taken, or given to something else.
struct naming {
    struct naming *next, *before;
    enum { CREATED, REMOVED, RENAMED } what;
    char path[PATH_MAX], from[PATH_MAX], stashed[PATH_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES];
static int file_count;
static struct naming *namings, *last_naming;
static const char *folder, *stash;
static long clock_ahead;
static struct {
    char call[16], file[64], what[16];
    long nth, times, milliseconds, seen;
} fault;

static void die(const char *why) {
    dprintf(2, "the disk of the test: %s: %s\n", why, strerror(errno));
    abort();
}

static uint64_t chance(void) {
    static uint64_t state;
    if (!state) state = strtoull(getenv("DISK_SEED") ?: "1", NULL, 10) * 2 + 1;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545F4914F6CDD1DULL >> 33;
}

// Whether a path is below the folder and on disk.
static int is_ours(const char *path) {
    size_t length = folder ? strlen(folder) : 0, all = strlen(path);
    if (!length || strncmp(path, folder, length) || path[length] != '/') return 0;
    return all < 4 || strcmp(path + all - 4, "-shm");
}

// The path of an open file, if it is one of ours.
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = folder ? readlink(link, path, PATH_MAX - 1) : -1;
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

// What was there, under a name of its own, so that it can be had back.
static void keep(const char *path, char *stashed) {
    static int number;
    snprintf(stashed, PATH_MAX, "%s/%d", stash, number++);
    if (link(path, stashed)) stashed[0] = 0;
}

static struct naming *name_changed(int what, const char *path, const char *from) {
    struct naming *naming = calloc(1, sizeof *naming);
    naming->what = what;
    strcpy(naming->path, path);
    strcpy(naming->from, from);
    naming->before = last_naming;
    if (last_naming) last_naming->next = naming;
    else namings = naming;
    return last_naming = naming;
}

static void forget_naming(struct naming *naming) {
    if (naming->before) naming->before->next = naming->next;
    else namings = naming->next;
    if (naming->next) naming->next->before = naming->before;
    else last_naming = naming->before;
    free(naming);
}

// The file behind a descriptor, as we know it.
static struct file *known(int fd) {
    struct stat stat;
    if (fstat(fd, &stat) || !S_ISREG(stat.st_mode)) return NULL;
    for (int i = 0; i < file_count; i++)
        if (files[i].inode == stat.st_ino && files[i].device == stat.st_dev) return &files[i];
    if (file_count == FILES) die("too many files");
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    struct file *file = &files[file_count++];
    // Kept open: so its number cannot become another file's.
    *file = (struct file){stat.st_dev, stat.st_ino, syscall(SYS_openat, AT_FDCWD, link, O_RDWR | O_CLOEXEC), 0, 0};
    if (file->fd < 0) die("a file cannot be opened again");
    return file;
}

// Notes what a change is about to take the place of.
static struct change *changing(struct file *file, off_t at, size_t count) {
    struct change *change = calloc(1, sizeof *change);
    struct stat stat;
    if (fstat(file->fd, &stat)) die("fstat");
    change->at = at;
    change->length_before = stat.st_size;
    size_t rest = stat.st_size > at ? stat.st_size - at : 0;
    change->count_before = count && count < rest ? count : rest;
    change->bytes_before = malloc(change->count_before + 1);
    if (pread(file->fd, change->bytes_before, change->count_before, at) < 0) die("pread");
    return change;
}

static void changed(struct file *file, struct change *change, const void *bytes, size_t count) {
    change->count = count;
    change->bytes = malloc(count + 1);
    if (count) memcpy(change->bytes, bytes, count);
    change->before = file->last;
    if (file->last) file->last->next = change;
    else file->first = change;
    file->last = change;
}

// What is synced and follows on nothing that is not can be forgotten.
static void forget_synced(struct file *file) {
    while (file->first && file->first->state == SYNCED) {
        struct change *change = file->first;
        file->first = change->next;
        if (file->first) file->first->before = NULL;
        else file->last = NULL;
        free(change->bytes), free(change->bytes_before), free(change);
    }
}

static void put(int fd, const char *bytes, size_t count, off_t at) {
    while (count) {
        ssize_t put = syscall(SYS_pwrite64, fd, bytes, count, at);
        if (put <= 0) die("pwrite");
        bytes += put, at += put, count -= put;
    }
}

static void apply(struct file *file, struct change *change, size_t count) {
    if (change->count) put(file->fd, change->bytes, count, change->at);
    else if (count && syscall(SYS_ftruncate, file->fd, change->end)) die("ftruncate");
}

// Takes a file back to what is on disk, give or take what the disk did by itself.
static void lose_unsynced(struct file *file) {
    for (struct change *change = file->last; change; change = change->before) {
        put(file->fd, change->bytes_before, change->count_before, change->at);
        if (syscall(SYS_ftruncate, file->fd, change->length_before)) die("ftruncate");
    }
    for (struct change *change = file->first; change; change = change->next) {
        size_t whole = change->count ? change->count : 1, some = whole;
        if (change->state != SYNCED) {
            uint64_t choice = chance() % 3;
            some = choice == 0 ? 0 : choice == 1 ? whole : whole * (chance() % 64) / 64 / SECTOR * SECTOR;
        }
        apply(file, change, some);
    }
}

static void undo(struct naming *naming) {
    if (naming->what == CREATED) syscall(SYS_unlink, naming->path);
    if (naming->what == RENAMED) syscall(SYS_rename, naming->path, naming->from);
    if (naming->stashed[0]) syscall(SYS_rename, naming->stashed, naming->path);
}

static void cut_power(void) {
    for (int i = 0; i < file_count; i++) lose_unsynced(&files[i]);
    int unsynced = 0;
    for (struct naming *naming = namings; naming; naming = naming->next) unsynced++;
    // Journals keep the order of names.
    for (int lost = unsynced ? chance() % (unsynced + 1) : 0; lost; lost--) {
        struct naming *naming = last_naming;
        undo(naming);
        forget_naming(naming);
    }
    kill(getpid(), SIGKILL);
    pause();
}

static void report(const char *call, const char *path) {
    char line[PATH_MAX + 64];
    int fd = syscall(SYS_openat, AT_FDCWD, getenv("DISK_REPORT") ?: "/dev/null",
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int length = snprintf(line, sizeof line, "%s %s %s\n", fault.what, call, strrchr(path, '/') + 1);
    if (syscall(SYS_write, fd, line, length) != length) die("the report");
    syscall(SYS_close, fd);
}

static int is_named(const char *name) {
    size_t all = strlen(name), part = strlen(fault.file);
    return all >= part && (!strncmp(name, fault.file, part) || !strcmp(name + all - part, fault.file));
}

// Whether a call fails now: with this error, or with -1 where a part of it is done. The lock
// is held.
static int fails(const char *call, const char *path) {
    if (!fault.nth || (strcmp(fault.call, "any") && strcmp(fault.call, call))) return 0;
    if (!is_named(strrchr(path, '/') + 1)) return 0;
    fault.seen++;
    if (fault.seen < fault.nth || fault.seen >= fault.nth + fault.times) return 0;
    report(call, path);
    if (!strcmp(fault.what, "power")) cut_power();
    if (!strcmp(fault.what, "kill")) kill(getpid(), SIGKILL), pause();
    if (!strcmp(fault.what, "enospc")) return ENOSPC;
    if (!strcmp(fault.what, "short") && fault.seen == fault.nth && !strcmp(call, "write")) return -1;
    if (strcmp(fault.what, "slow")) return EIO;
    // Others need not wait for it.
    pthread_mutex_unlock(&lock);
    usleep(1000 * fault.milliseconds);
    pthread_mutex_lock(&lock);
    return 0;
}

static int refused(int error) {
    pthread_mutex_unlock(&lock);
    errno = error;
    return -1;
}

static ssize_t written(int fd, const void *bytes, size_t count, off_t at, const char *path) {
    int error = fails("write", path);
    if (error > 0) return refused(error);
    if (error && count > 1) count = 1 + chance() % (count - 1);
    struct file *file = known(fd);
    struct change *change = changing(file, at, count ? count : 1);
    ssize_t done = syscall(SYS_pwrite64, fd, bytes, count, at);
    int failed = errno;
    changed(file, change, bytes, done > 0 ? done : 0);
    if (done <= 0) change->state = SYNCED, change->end = change->length_before;
    pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_pwrite64, fd, bytes, count, at);
    pthread_mutex_lock(&lock);
    return written(fd, bytes, count, at, path);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_write, fd, bytes, count);
    pthread_mutex_lock(&lock);
    int append = fcntl(fd, F_GETFL) & O_APPEND;
    off_t at = lseek(fd, 0, append ? SEEK_END : SEEK_CUR);
    ssize_t done = written(fd, bytes, count, at, path);
    if (done > 0) lseek(fd, at + done, SEEK_SET);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_writev, fd, parts, count);
    // The first one that holds something: a short write, which all callers expect.
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len) return write(fd, parts[i].iov_base, parts[i].iov_len);
    return 0;
}

// Callers fall back to reading and writing.
ssize_t copy_file_range(int from, off_t *at, int to, off_t *to_at, size_t count, unsigned flags) {
    char path[PATH_MAX];
    if (!path_of(to, path)) return syscall(SYS_copy_file_range, from, at, to, to_at, count, flags);
    errno = ENOSYS;
    return -1;
}

int ftruncate64(int fd, off_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int error = fails("cut", path);
    if (error) return refused(error > 0 ? error : EIO);
    struct file *file = known(fd);
    struct change *change = changing(file, length, 0);
    change->end = length;
    int result = syscall(SYS_ftruncate, fd, length);
    if (result) change->end = change->length_before;
    changed(file, change, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, long call) {
    char path[PATH_MAX];
    struct stat stat;
    if (!folder || fstat(fd, &stat)) return syscall(call, fd);
    // The folder itself is one of ours, here.
    if (!path_of(fd, path) && strcmp(path, folder)) return syscall(call, fd);
    pthread_mutex_lock(&lock);
    int error = fails("sync", path);
    if (S_ISDIR(stat.st_mode)) {
        if (error) return refused(EIO);
        size_t length = strlen(path);
        for (struct naming *naming = namings, *next; naming; naming = next) {
            next = naming->next;
            if (!strncmp(naming->path, path, length) && strrchr(naming->path, '/') == naming->path + length)
                forget_naming(naming);
        }
    } else if (S_ISREG(stat.st_mode)) {
        struct file *file = known(fd);
        for (struct change *change = file->first; change; change = change->next)
            if (change->state == PENDING) change->state = error ? DOUBTFUL : SYNCED;
        if (error) return refused(error > 0 ? error : EIO);
        forget_synced(file);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int opened(int at, const char *name, int flags, mode_t mode) {
    if (at != AT_FDCWD || !folder || !is_ours(name) || !(flags & (O_CREAT | O_TRUNC)))
        return syscall(SYS_openat, at, name, flags, mode);
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && access(name, F_OK);
    int error = is_new ? fails("name", name) : 0;
    if (error) return refused(error > 0 ? error : EIO);
    int fd = syscall(SYS_openat, at, name, flags & ~O_TRUNC, mode);
    int failed = errno;
    if (fd >= 0 && is_new) name_changed(CREATED, name, "");
    pthread_mutex_unlock(&lock);
    errno = failed;
    if (fd >= 0 && !is_new && (flags & O_TRUNC) && ftruncate64(fd, 0)) return close(fd), -1;
    return fd;
}

#define MODE(flags)                                                                      \
    mode_t mode = 0;                                                                     \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                 \
        va_list rest;                                                                    \
        va_start(rest, flags);                                                           \
        mode = va_arg(rest, mode_t);                                                     \
        va_end(rest);                                                                    \
    }

int open64(const char *name, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, name, flags, mode);
}

int open(const char *name, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, name, flags, mode);
}

int unlink(const char *path) {
    if (!is_ours(path)) return syscall(SYS_unlink, path);
    pthread_mutex_lock(&lock);
    int error = fails("name", path);
    if (error) return refused(error > 0 ? error : EIO);
    char stashed[PATH_MAX];
    keep(path, stashed);
    int result = syscall(SYS_unlink, path), failed = errno;
    if (!result) strcpy(name_changed(REMOVED, path, "")->stashed, stashed);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int rename(const char *from, const char *to) {
    if (!is_ours(to)) return syscall(SYS_rename, from, to);
    pthread_mutex_lock(&lock);
    int error = fails("name", to);
    if (error) return refused(error > 0 ? error : EIO);
    char stashed[PATH_MAX];
    keep(to, stashed);
    int result = syscall(SYS_rename, from, to), failed = errno;
    if (!result) strcpy(name_changed(RENAMED, to, from)->stashed, stashed);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (!result && clock == CLOCK_REALTIME) time->tv_sec += clock_ahead;
    return result;
}

// Waits for the signal that cuts the power.
static void *wait_for_cut(void *signals) {
    int got;
    sigwait(signals, &got);
    pthread_mutex_lock(&lock);
    cut_power();
    return NULL;
}

static int cuts_at_end;

__attribute__((destructor)) static void end(void) {
    pthread_mutex_lock(&lock);
    if (cuts_at_end) cut_power();
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void start(void) {
    static sigset_t signals;
    pthread_t thread;
    folder = getenv("DISK_FOLDER");
    stash = getenv("DISK_STASH");
    clock_ahead = atol(getenv("DISK_CLOCK") ?: "0");
    const char *plan = getenv("DISK_FAULT");
    if (!folder || !stash) return;
    if (plan && *plan) {
        char *copy = strdup(plan), *rest = copy;
        strncpy(fault.call, strsep(&rest, ":"), sizeof fault.call - 1);
        strncpy(fault.file, strsep(&rest, ":") ?: "", sizeof fault.file - 1);
        fault.nth = atol(strsep(&rest, ":") ?: "0");
        fault.times = atol(strsep(&rest, ":") ?: "1");
        strncpy(fault.what, strsep(&rest, ":") ?: "eio", sizeof fault.what - 1);
        fault.milliseconds = rest ? atol(rest) : 0;
        free(copy);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    cuts_at_end = getenv("DISK_CUT_AT_END") != NULL;
    if (pthread_create(&thread, NULL, wait_for_cut, &signals)) die("a thread");
}
