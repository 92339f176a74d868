/* One fetch from another machine, as a process of its own: libgit2 waits for ever on a far side that is silent, so who does it must
 * be one that can be killed. It is this same program again (/proc/self/exe), told by its first argument:
 *
 *     int main(int argc, char **argv)
 *     {
 *             if (source_fetch_is_child(argc, argv))
 *                     return source_fetch_child();
 *
 * must be the first lines of every program that uses source/remote.h. The request (JSON, no secrets in it: paths only) comes on
 * standard input; the answer goes to standard output as one line of JSON, {"commit": HEX} or {"code": "auth", "text": "…"}, after which
 * the process may go on for a while with tidying the mirror.
 */
#pragma once

#include <stdbool.h>

enum {
	FETCH_REQUEST_MAX_BYTES = 64 * 1024,
	FETCH_ANSWER_MAX_BYTES = 64 * 1024,
	FETCH_TEXT_MAX_BYTES = 2048,       /* of an error */
	FETCH_CHATTER_MAX_BYTES = 1024 * 1024, /* what the far side may say beside its pack */
};

#define FETCH_CHILD_ARGUMENT "--fetch-as-asked-on-standard-input"

bool source_fetch_is_child(int argc, char **argv);
int source_fetch_child(void);
