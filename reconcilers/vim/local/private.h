/* Within vim/local/ only. */
#pragma once

#include "keeperproto/keeperproto.h"
#include "vim/local/vim_local.h"

enum {
	LOCAL_IDLE_MAX = 16,       /* connections kept for the next call */
	LOCAL_NAMELESS_WAIT_MS = 5000, /* for a keeper to find its socket's name deleted, and to make it again */
	LOCAL_NAMELESS_POLL_US = 50000,
	LOCAL_WATCH_WAIT_MS = 2000, /* for the keeper's word that it will tell us */
};

struct vim {
	const struct site *site;
	char *runtime, *folder; /* of all sites; of this one */
	GMutex mutex;
	GArray *idle; /* int: connections without a request */
	int watch_fd; /* epoll over the two below; -1: nobody watches */
	int watch_kick, watch_socket;
	GByteArray *watch_in;
};

/* --- client.c --------------------------------------------------------------------------------------------------------------- */

/* A connection to the keeper in @folder; -1 and NOT_FOUND when there is none; RETRY when there is
 * one whose socket has no name (any more). */
int client_connect(const char *folder, GError **error);

struct exchange {
	const struct keeper_request *request;
	const int *fds; /* to go with it, or NULL */
	size_t n_fds;
	bool start;     /* start a keeper where there is none; else NOT_FOUND */
	bool fresh;     /* on a connection of its own: what is not idempotent */
	int ret_fd;     /* came with the reply; -1: none */
};

/* Asks and waits for the reply. False also when the reply is a failure: @error then has its code and text. */
bool client_ask(struct vim *vim, const struct call *call, struct exchange *exchange, struct arena *arena,
	struct keeper_reply *ret, GError **error);

/* The same on a given connection. */
bool client_exchange(int fd, const struct call *call, struct exchange *exchange, struct arena *arena, struct keeper_reply *ret,
	GError **error);
void client_close_idle(struct vim *vim);

/* --- start.c ---------------------------------------------------------------------------------------------------------------- */

bool keeper_launch(const struct vim *vim, const struct call *call, GError **error);

/* --- convert.c -------------------------------------------------------------------------------------------------------------- */

struct keeper_link link_to_keeper(const struct link *link);
struct keeper_vnfc vnfc_to_keeper(struct arena *arena, const struct vnfc *vnfc);
const struct link *link_from_keeper(struct arena *arena, const struct vim *vim, const struct keeper_link *seen);
const struct vnfc *vnfc_from_keeper(struct arena *arena, const struct vim *vim, const struct keeper_vnfc *seen);
/* NULL: it cannot be reached (it has ended). */
const struct access *access_from_keeper(struct arena *arena, const struct vim *vim, const struct keeper_vnfc *seen);

/* --- watch.c ---------------------------------------------------------------------------------------------------------------- */

int watch_open(struct vim *vim);
GPtrArray *watch_take(struct vim *vim);
void watch_attach(struct vim *vim); /* to a keeper that has come since; nothing when nobody watches */
void watch_close(struct vim *vim);

/* --- list.c ---------------------------------------------------------------------------------------------------------------- */

bool local_list(GPtrArray *ret, GError **error);
