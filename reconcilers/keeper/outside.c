#include "keeper/outside.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct nl_link *named(const GPtrArray *links, const char *name)
{
	for (guint i = 0; i < links->len; i++) {
		const struct nl_link *link = links->pdata[i];
		if (strcmp(link->name, name) == 0)
			return link;
	}
	return NULL;
}

static bool fail(GError **error, enum pleach_error code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool fail(GError **error, enum pleach_error code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(PLEACH_ERROR, (int) code, format, args));
	va_end(args);
	return false;
}

/* Ours by its tag; or half made, when we were killed between making and tagging it. */
static bool is_own(const struct nl_link *seen, const struct outside *want)
{
	g_autofree char *owner = alias_owner(seen->alias);
	return owner ? strcmp(owner, want->owner) == 0 : !(seen->alias && *seen->alias) && strcmp(seen->kind, "veth") == 0;
}

/* Of the host's end. A bridge whose own was never set takes the lowest of its ports': this one is above all others. */
static struct nl_mac high_mac(const struct outside *want)
{
	struct nl_mac mac = mac_of(want->owner, want->name, "", 1);
	mac.bytes[0] = 0xfe;
	mac.bytes[1] = 0xff;
	return mac;
}

static bool adjust_host_end(struct nl *nl, const struct nl_link *end, const struct nl_link *bridge, const struct outside *want,
			    GError **error)
{
	const struct nl_mac mac = high_mac(want);
	struct nl_change change = { .up = true, .master = bridge->index };
	change.mac = memcmp(&end->mac, &mac, sizeof(mac)) == 0 ? NULL : &mac;
	change.set_master = end->master != bridge->index;
	change.set_up = !end->up;
	change.alias = g_strcmp0(end->alias, want->alias) == 0 ? NULL : want->alias;
	/* Not below the bridge's: that would pull the bridge's own down. */
	change.mtu = end->mtu < MAX(bridge->mtu, want->mtu) ? MAX(bridge->mtu, want->mtu) : 0;
	if (!change.mac && !change.set_master && !change.set_up && !change.alias && !change.mtu)
		return true;
	return nl_link_change(nl, end->index, &change, error);
}

static bool into_bridge(struct nl *nl, GPtrArray *links, const struct nl_link *bridge, const struct outside *want, int netns_fd,
			GError **error)
{
	const struct nl_link *end = named(links, want->name);
	if (end && !is_own(end, want))
		return fail(error, PLEACH_ERROR_CONFLICT,
			    "the host's interface %s stands in its place and does not carry the tag of owner \"%s\"", want->name,
			    want->owner);
	if (end && !want->fresh)
		return adjust_host_end(nl, end, bridge, want, error);
	if (end && !nl_link_delete(nl, end->index, error))
		return false;
	const struct nl_veth veth = {
		.name = want->name, .mtu = MAX(bridge->mtu, want->mtu), .peer_name = want->name,
		.peer_mac = mac_of(want->owner, want->name, "", 0), .peer_netns_fd = netns_fd,
	};
	g_autoptr(GPtrArray) now = nl_links_new();
	if (!nl_veth_create(nl, &veth, error) || !nl_links(nl, now, error))
		return false;
	end = named(now, want->name);
	return end ? adjust_host_end(nl, end, bridge, want, error) :
		     fail(error, PLEACH_ERROR_RETRY, "%s went again at once", want->name);
}

/* An interface that is passed on whole is the host's no more. */
static bool may_pass_on(struct nl *nl, GPtrArray *links, const struct nl_link *lower, GError **error)
{
	g_autoptr(GArray) addrs = g_array_new(FALSE, FALSE, sizeof(struct nl_addr));
	for (guint i = 0; lower->master && i < links->len; i++) {
		const struct nl_link *master = links->pdata[i];
		if (master->index == lower->master)
			return fail(error, PLEACH_ERROR_CONFLICT, "the host's %s is a port of %s: name that instead", lower->name,
				    master->name);
	}
	if (!nl_addrs(nl, lower->index, addrs, error))
		return false;
	if (addrs->len == 0)
		return true;
	char text[NL_ADDR_TEXT_SIZE];
	return fail(error, PLEACH_ERROR_CONFLICT, "the host's %s has the address %s, which would be cut off: name a bridge that it is a "
		    "port of, a VLAN, or an interface without addresses", lower->name,
		    nl_addr_print(&g_array_index(addrs, struct nl_addr, 0), true, text));
}

static bool onto_interface(struct nl *nl, GPtrArray *links, const struct nl_link *lower, const struct outside *want, int netns_fd,
			   GError **error)
{
	const struct nl_upper upper = { want->name, lower->index, want->vlan, MIN(want->mtu, lower->mtu), netns_fd };
	if (lower->loopback)
		return fail(error, PLEACH_ERROR_INVALID, "the host's %s leads nowhere", lower->name);
	if (!want->vlan && !may_pass_on(nl, links, lower, error))
		return false;
	if (!lower->up)
		return fail(error, PLEACH_ERROR_RETRY, "the host's %s is down; `ip link set %s up` is the host's business", lower->name,
			    lower->name);
	if (nl_upper_create(nl, &upper, error))
		return true;
	int errnum = nl_errno(nl);
	if (errnum == EOPNOTSUPP && want->vlan) {
		g_clear_error(error);
		return fail(error, PLEACH_ERROR_UNSUPPORTED,
			    "this kernel has no VLAN interfaces (`modprobe 8021q`); name a bridge that carries VLAN %u instead", want->vlan);
	}
	if (errnum == EINVAL || errnum == EBUSY)
		g_prefix_error(error, "the host's %s is in use by another macvlan or bridge: ", lower->name);
	return false;
}

static bool ensure(const struct outside *want, pid_t pid, GError **error)
{
	auto_ptr(nl) nl = geteuid() == 0 ? nl_open(NL_HERE, error) : NULL;
	g_autoptr(GPtrArray) links = nl_links_new();
	char path[64];
	if (geteuid() != 0)
		return fail(error, PLEACH_ERROR_UNSUPPORTED, "only root may attach a link to a network of the host: run pleachd as root");
	if (!nl || !nl_links(nl, links, error))
		return false;
	const struct nl_link *lower = named(links, want->network);
	if (!lower)
		return fail(error, PLEACH_ERROR_NOT_FOUND, "the host has no interface or bridge %s", want->network);
	g_snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
	int netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (netns_fd < 0)
		return pleach_error_errno(error, errno, "open %s", path);
	bool ok = strcmp(lower->kind, "bridge") == 0 && !want->vlan ? into_bridge(nl, links, lower, want, netns_fd, error) :
		  want->fresh					     ? onto_interface(nl, links, lower, want, netns_fd, error) :
									true;
	close(netns_fd);
	return ok;
}

/* A port of a bridge of the host; the rest has no end there. */
static bool check(const struct outside *want, GError **error)
{
	auto_ptr(nl) nl = nl_open(NL_HERE, error);
	g_autoptr(GPtrArray) links = nl_links_new();
	if (!nl || !nl_links(nl, links, error))
		return false;
	const struct nl_link *lower = named(links, want->network), *end = named(links, want->name);
	if (lower && (want->vlan || strcmp(lower->kind, "bridge") != 0))
		return true;
	if (lower && end && is_own(end, want) && end->up && end->master == lower->index)
		return true;
	return fail(error, PLEACH_ERROR_NOT_FOUND, "it is not a port of %s", want->network);
}

bool outside_serve(int fd, pid_t pid)
{
	char text[OUTSIDE_MAX_BYTES];
	ssize_t n = recv(fd, text, sizeof(text), 0);
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) json = json_parse(text, (size_t) n, OUTSIDE_MAX_BYTES, "request", &error);
	struct outside want = {
		.network = json_opt_string(json, "network", NULL), .owner = json_opt_string(json, "owner", NULL),
		.name = json_opt_string(json, "name", NULL), .alias = json_opt_string(json, "alias", NULL),
		.vlan = (unsigned) json_integer_value(json_object_get(json, "vlan")),
		.mtu = (unsigned) json_integer_value(json_object_get(json, "mtu")),
		.fresh = json_is_true(json_object_get(json, "fresh")),
	};
	if (!error && (!want.network || !want.owner || !want.name || strlen(want.name) > NL_NAME_MAX || !want.alias))
		fail(&error, PLEACH_ERROR_INVALID, "the request is not whole");
	if (!error && json_is_true(json_object_get(json, "check")))
		check(&want, &error);
	else if (!error)
		ensure(&want, pid, &error);
	g_autoptr(json_t) answer = json_pack("{s:I, s:i, s:s*}", "n", json_integer_value(json_object_get(json, "n")), "code",
					     error ? error->code : 0, "text", error ? error->message : NULL);
	g_autofree char *reply = json_text(answer, 0);
	return send(fd, reply, strlen(reply), MSG_NOSIGNAL) > 0;
}
