#include "keeperproto/keeperproto.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HOLDER_BACKLOG = 128 };

static socklen_t holder_address(const char *folder, struct sockaddr_un *ret)
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, folder, -1);
	*ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
	int n = g_snprintf(ret->sun_path + 1, sizeof(ret->sun_path) - 1, "pleach-keeper/%s", sum);
	return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) n);
}

int keeper_hold(const char *folder)
{
	struct sockaddr_un address;
	socklen_t size = holder_address(folder, &address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *) &address, size) == 0 && listen(fd, HOLDER_BACKLOG) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void keeper_hold_empty(int fd)
{
	for (int caller; fd >= 0 && (caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
		close(caller);
}

gint64 keeper_holder(const char *folder)
{
	struct sockaddr_un address;
	socklen_t size = holder_address(folder, &address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer = { 0 };
	socklen_t length = sizeof(peer);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *) &address, size) == 0 &&
		  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
	if (fd >= 0)
		close(fd);
	return ok ? peer.pid : 0;
}
