#include "keeper/keeper.h"
#include "keeper/outside.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* --- asking the guard ------------------------------------------------------------------------------------------------------- */

/* The answer to request @n; those to requests that were given up are passed over. */
static json_t *receive(int fd, json_int_t n, GError **error)
{
	gint64 until_us = clock_monotonic_us() + OUTSIDE_WAIT_MS * 1000;
	char text[OUTSIDE_MAX_BYTES];
	for (;;) {
		struct pollfd wait = { fd, POLLIN, 0 };
		gint64 left_ms = (until_us - clock_monotonic_us()) / 1000;
		int ready = left_ms > 0 ? poll(&wait, 1, (int) left_ms) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t length = ready > 0 ? recv(fd, text, sizeof(text), MSG_DONTWAIT) : -1;
		if (length <= 0) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the keeper's guard %s",
				    ready > 0 ? "is gone" : "does not answer");
			return NULL;
		}
		json_t *json = json_parse(text, (size_t) length, OUTSIDE_MAX_BYTES, "answer", error);
		if (!json || json_integer_value(json_object_get(json, "n")) == n)
			return json;
		json_decref(json);
	}
}

static bool ask(int fd, const struct outside *want, bool check, GError **error)
{
	static json_int_t n;
	g_autoptr(json_t) request = json_pack("{s:I, s:s, s:i, s:i, s:s, s:s, s:s, s:b, s:b}", "n", ++n, "network", want->network,
					      "vlan", (int) want->vlan, "mtu", (int) want->mtu, "owner", want->owner, "name",
					      want->name, "alias", want->alias, "fresh", (int) want->fresh, "check", (int) check);
	g_autofree char *text = request ? json_text(request, 0) : NULL;
	if (!text || strlen(text) > OUTSIDE_MAX_BYTES)
		return pleach_error_invalid(error, "the network's name is no text, or too long");
	if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return pleach_error_errno(error, fd < 0 ? EPIPE : errno, "ask the keeper's guard");
	g_autoptr(json_t) answer = receive(fd, n, error);
	const char *words = answer ? json_opt_string(answer, "text", NULL) : NULL;
	if (words)
		g_set_error(error, PLEACH_ERROR, (int) json_integer_value(json_object_get(answer, "code")), "%s", words);
	return answer && !words;
}

bool outside_ensure(int fd, const struct outside *want, GError **error)
{
	return ask(fd, want, false, error);
}

bool outside_check(int fd, const struct outside *want)
{
	return ask(fd, want, true, NULL);
}

/* --- a link's ---------------------------------------------------------------------------------------------------------------- */

static const struct nl_link *end_of(const struct keeper *keeper, const struct link *link)
{
	return link->uplink ? nl_mirror_link(keeper->mirror, link->uplink) : NULL;
}

static void forget(struct keeper *keeper, struct link *link)
{
	if (link->uplink)
		g_hash_table_remove(keeper->by_bridge, GUINT_TO_POINTER(link->uplink));
	link->uplink = 0;
}

bool uplink_remove(struct keeper *keeper, struct link *link, GError **error)
{
	const struct nl_link *seen = end_of(keeper, link);
	if (seen && !nl_link_delete(keeper->nl, seen->index, error))
		return false;
	forget(keeper, link);
	return true;
}

static struct outside outside_of(const struct keeper *keeper, const struct link *link, const char *name, const char *alias)
{
	return (struct outside) {
		.network = link->want.network, .vlan = link->want.vlan, .mtu = link->want.mtu, .owner = keeper->owner, .name = name,
		.alias = alias,
	};
}

/* A remnant in the site's namespace: nobody else makes interfaces of that name here. */
static bool make_way(struct keeper *keeper, const char *name, GError **error)
{
	const struct nl_link *seen = nl_mirror_named(keeper->mirror, name);
	return !seen || (nl_link_delete(keeper->nl, seen->index, error) && keeper_refresh(keeper, error));
}

static bool plug(struct keeper *keeper, struct link *link, const char *alias, GError **error)
{
	const struct nl_link *seen = end_of(keeper, link);
	struct nl_change change = { .up = true, .master = link->index };
	change.set_master = seen->master != link->index;
	change.set_up = !seen->up;
	change.alias = g_strcmp0(seen->alias, alias) == 0 ? NULL : alias;
	change.mtu = seen->mtu > link->want.mtu ? link->want.mtu : 0;
	return (!change.set_master && !change.set_up && !change.alias && !change.mtu) ||
	       nl_link_change(keeper->nl, seen->index, &change, error);
}

bool uplink_ensure(struct keeper *keeper, struct link *link, GError **error)
{
	g_autofree char *of = link->want.network ? g_strdup_printf("%s %u", link->want.network, link->want.vlan) : NULL;
	if (g_strcmp0(of, link->uplink_of) != 0 && !uplink_remove(keeper, link, error))
		return false;
	g_free(link->uplink_of);
	link->uplink_of = g_steal_pointer(&of);
	if (!link->want.network)
		return true;
	name_text name;
	name_of_uplink(keeper->owner, keeper->site, link->want.key, name);
	g_autofree char *alias = alias_of(keeper->owner, link->want.key, NULL, link->want.incarnation);
	struct outside want = outside_of(keeper, link, name, alias);
	if (!keeper_refresh(keeper, error))
		return false;
	want.fresh = !end_of(keeper, link);
	if (want.fresh) {
		forget(keeper, link);
		if (!make_way(keeper, name, error))
			return false;
	}
	if (!outside_ensure(keeper->uplink_fd, &want, error) || !keeper_refresh(keeper, error)) {
		g_prefix_error(error, "attach it to %s: ", want.network);
		return false;
	}
	const struct nl_link *seen = nl_mirror_named(keeper->mirror, name);
	if (!seen) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "attach it to %s: its end went again at once", want.network);
		return false;
	}
	link->uplink = seen->index;
	g_hash_table_insert(keeper->by_bridge, GUINT_TO_POINTER(link->uplink), link);
	return plug(keeper, link, alias, error);
}

bool uplink_stands(struct keeper *keeper, const struct link *link)
{
	const struct nl_link *seen = end_of(keeper, link);
	if (!seen || !seen->up || seen->master != link->index)
		return false;
	g_autofree char *alias = alias_of(keeper->owner, link->want.key, NULL, link->want.incarnation);
	struct outside want = outside_of(keeper, link, seen->name, alias);
	return outside_check(keeper->uplink_fd, &want);
}
