#include "daemon/permits.h"

#include "ems/control.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

enum { GROUPS_MAX = 256, ENTRY_MAX_BYTES = 64 * 1024 };

/* Names of the groups that the user is in, in @arena; NULL-terminated. */
static const char *const *groups_of(struct arena *arena, const struct passwd *user)
{
	gid_t gids[GROUPS_MAX];
	int n = GROUPS_MAX;
	/* Of more than GROUPS_MAX the others are left out: he may less, not more. */
	if (getgrouplist(user->pw_name, user->pw_gid, gids, &n) < 0)
		n = MIN(n, GROUPS_MAX);
	const char **names = ARENA_ARRAY(arena, const char *, n + 1);
	size_t known = 0;
	g_autofree char *room = g_malloc(ENTRY_MAX_BYTES);
	for (int i = 0; i < n; i++) {
		struct group entry, *group = NULL;
		if (getgrgid_r(gids[i], &entry, room, ENTRY_MAX_BYTES, &group) == 0 && group)
			names[known++] = arena_strdup(arena, group->gr_name);
	}
	return names;
}

static struct subject subject_of(struct arena *arena, gint64 uid)
{
	struct subject who = { .uid = uid, .stranger = uid != 0 && uid != (gint64) geteuid() };
	g_autofree char *room = g_malloc(ENTRY_MAX_BYTES);
	struct passwd entry, *user = NULL;
	if (uid >= 0 && getpwuid_r((uid_t) uid, &entry, room, ENTRY_MAX_BYTES, &user) == 0 && user) {
		who.user = arena_strdup(arena, user->pw_name);
		who.groups = groups_of(arena, user);
	}
	/* Over TCP nobody can be told apart, and only this machine's own can come: as anybody who may read. */
	if (uid < 0)
		who.stranger = false;
	return who;
}

bool permits_allow(const struct network *network, gint64 uid, const char *verb, const char *key, GError **error)
{
	enum access_verb what;
	bool known = access_verb_parse(verb, &what);
	g_assert(known);
	auto_ptr(arena) arena = arena_new();
	bool asked = control_names_operators(network);
	const struct subject nobody = { .uid = uid, .stranger = uid > 0 && uid != (gint64) geteuid() };
	const struct subject who = asked ? subject_of(arena, uid) : nobody;
	return control_allows(network, &who, what, key, error);
}
