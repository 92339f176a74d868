#include "keeper/keeper.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runtime folders are swept now and then: by a session manager when its user logs out, by somebody who tidies up. The VNFs go on, and
 * so must the ways to them. The guard makes the folder itself anew, and site.json; we make the sockets' names.
 *
 * Our own socket is simply another one. A VNFC's belongs to its leaf, which knows of no names: the new name is a symbolic link to the
 * old socket's file, of which we hold a descriptor. */

enum { RECENT_US = 3 * G_USEC_PER_SEC };

int door_hold(const char *path)
{
	return open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 || errno != ENOENT;
}

/* The guard's new folder, if it has sent one. */
static int receive_folder(int guard_fd)
{
	char byte;
	struct iovec piece = { &byte, 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	int fd = -1;
	if (recvmsg(guard_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(head), sizeof(int));
	return fd;
}

static void move_in(struct keeper *keeper)
{
	int folder = keeper->guard_fd >= 0 ? receive_folder(keeper->guard_fd) : -1;
	if (folder < 0)
		return;
	if (fchdir(folder) == 0) {
		int log = open(KEEPER_LOG_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (log >= 0 && dup2(log, keeper->log_fd) >= 0)
			note(keeper, "the runtime folder was deleted; this is the new one");
		if (log >= 0)
			close(log);
		keeper->doors_missing = true;
	}
	close(folder);
}

static bool renew_own(struct keeper *keeper)
{
	g_autoptr(GError) error = NULL;
	if (is_there(KEEPER_SOCKET_NAME))
		return true;
	bool ok = server_listen(keeper, &error);
	note(keeper, "%s was deleted: %s", KEEPER_SOCKET_NAME, ok ? "made again" : error->message);
	return ok;
}

static bool renew_vnfc(struct keeper *keeper, const struct vnfc *vnfc)
{
	char path[32], target[64];
	g_snprintf(path, sizeof(path), "%s.sock", vnfc->name);
	if (vnfc->door_fd < 0 || is_there(path))
		return true;
	g_snprintf(target, sizeof(target), "/proc/%d/fd/%d", (int) getpid(), vnfc->door_fd);
	bool ok = symlink(target, path) == 0;
	note(keeper, "%s of %s was deleted: %s", path, vnfc->id, ok ? "made again" : g_strerror(errno));
	return ok;
}

/* Whoever needs one makes another. */
static void drop_spare(struct keeper *keeper)
{
	char path[32];
	g_snprintf(path, sizeof(path), "%u.sock", keeper->next_number + 1);
	if (keeper->spare_fd < 0 || is_there(path))
		return;
	close(keeper->spare_fd);
	if (keeper->spare_door_fd >= 0)
		close(keeper->spare_door_fd);
	keeper->spare_fd = keeper->spare_door_fd = -1;
}

/* A folder that did not change since the last look has lost nothing. What changed a moment ago may change again in the same tick of
 * its clock. */
static bool may_have_lost(struct keeper *keeper)
{
	struct stat st;
	if (stat(".", &st) < 0 || st.st_nlink == 0)
		return false; /* the folder itself is gone: nothing can be made in it, the guard must send another */
	gint64 changed_us = (gint64) st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000;
	bool is_new = changed_us != keeper->doors_seen_us || ABS(clock_wall_us() - changed_us) < RECENT_US;
	keeper->doors_seen_us = changed_us;
	return is_new || keeper->doors_missing;
}

static void look(void *data)
{
	struct keeper *keeper = data;
	loop_after(keeper->loop, KEEPER_DOORS_MS, look, keeper);
	keeper_hold_empty(keeper->hold_fd);
	if (keeper->ending)
		return;
	move_in(keeper);
	if (!may_have_lost(keeper))
		return;
	bool ok = renew_own(keeper);
	GHashTableIter iter;
	gpointer vnfc;
	g_hash_table_iter_init(&iter, keeper->vnfcs);
	while (g_hash_table_iter_next(&iter, NULL, &vnfc))
		ok = renew_vnfc(keeper, vnfc) && ok;
	drop_spare(keeper);
	keeper->doors_missing = !ok;
}

void doors_watch(struct keeper *keeper)
{
	loop_after(keeper->loop, KEEPER_DOORS_MS, look, keeper);
}
